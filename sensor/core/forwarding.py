# SPDX-License-Identifier: Apache-2.0
"""Events for the host's own log: which of them, how urgent, and in which form.

A log is read by people and kept by others, so it gets what somebody may have to
act on, and the stream keeps the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.words import Kind, Verdict

if TYPE_CHECKING:
    from sensor.core.event import Event

IDENTIFIER = "agent-sensor"

# syslog(3): LOG_AUTHPRIV, LOG_WARNING, LOG_NOTICE
_FACILITY, _WARNING, _NOTICE = 10, 4, 5
_NOTABLE = {
    Kind.SESSION_START: _NOTICE,
    Kind.SESSION_END: _NOTICE,
    Kind.LOSS: _WARNING,
    Kind.GAP: _WARNING,
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def severity(event: Event) -> int | None:
    """Rate an event as syslog(3) does; None for one that the log does without."""
    if event.is_risky or event.verdict not in {None, Verdict.ALLOW}:
        return _WARNING
    return _NOTABLE.get(event.kind)


def journal(event: Event, priority: int) -> bytes:
    """Write an event as journald's native protocol has it: fields, one after another."""
    process, to = event.process, event.destination
    fields = {
        "MESSAGE": event.line,
        "PRIORITY": priority,
        "SYSLOG_IDENTIFIER": IDENTIFIER,
        "SYSLOG_FACILITY": _FACILITY,
        "AGENT_SENSOR_SEQ": event.seq,
        "AGENT_SENSOR_AT": event.at,
        "AGENT_SENSOR_KIND": event.kind.value,
        "AGENT_SENSOR_VERDICT": event.verdict and event.verdict.value,
        "AGENT_SENSOR_RULE": event.rule,
        "AGENT_SENSOR_TOOL": event.tool,
        "AGENT_SENSOR_VENDOR": event.vendor,
        "AGENT_SENSOR_SESSION": event.session,
        "AGENT_SENSOR_REASON": event.reason,
        "AGENT_SENSOR_PID": process and process.pid,
        "AGENT_SENSOR_UID": process and process.uid,
        "AGENT_SENSOR_USER": process and process.user,
        "AGENT_SENSOR_EXE": process and process.exe,
        "AGENT_SENSOR_CWD": process and process.cwd,
        "AGENT_SENSOR_IP": to and to.ip,
        "AGENT_SENSOR_PORT": to and to.port,
        "AGENT_SENSOR_NAME": to and to.name,
        "AGENT_SENSOR_ENDPOINT": to and to.endpoint,
    }
    return b"".join(_field(name, str(value)) for name, value in fields.items() if value is not None)


def _field(name: str, value: str) -> bytes:
    """Write one field; a value with line breaks goes with its length, so it cannot add fields."""
    raw = value.encode("utf-8", "backslashreplace")
    if b"\n" not in raw:
        return b"%s=%s\n" % (name.encode(), raw)
    return b"%s\n%s%s\n" % (name.encode(), len(raw).to_bytes(8, "little"), raw)


def syslog(event: Event, priority: int, *, pid: int) -> bytes:
    """Write an event as a line of RFC 3164, with the time in UTC as musl writes it."""
    date, _, rest = event.at.partition("T")
    _, month, day = date.split("-")
    stamp = f"{_MONTHS[int(month) - 1]} {int(day):2} {rest[:8]}"
    head = f"<{_FACILITY << 3 | priority}>{stamp} {IDENTIFIER}[{pid}]: "
    return f"{head}{event.line}".encode("utf-8", "backslashreplace")
