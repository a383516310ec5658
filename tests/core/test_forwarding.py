# SPDX-License-Identifier: Apache-2.0
"""The host's log gets what somebody may have to act on, and nothing that is not what it says."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from sensor.core.event import Destination, Event, Evidence, Kind, ProcessView, Verdict
from sensor.core.forwarding import journal, severity, syslog

EVENT = Event(
    v=1, seq=7, boot_id="b", host="h", at="2026-11-03T04:03:07.512345678Z", at_ns=1,
    kind=Kind.EXEC, verdict=Verdict.ALERT, rule="default", tool="codex", vendor="openai",
    session="s1", process=ProcessView(pid=9, started_ns=1, uid=0, user="root", exe="/x", cwd="/"),
    destination=Destination(ip=ip_address("192.0.2.1"), port=443, transport="tcp", name="a.example",
                            endpoint="openai"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "verdict", "expected"),
    [
        (Kind.EXEC, Verdict.ALERT, 4),
        (Kind.EXEC, Verdict.ALLOW, None),
        (Kind.CONNECT, Verdict.ALLOW, None),
        (Kind.CLOSE, None, None),
        (Kind.SESSION_START, None, 5),
        (Kind.SESSION_END, None, 5),
        (Kind.LOSS, None, 4),
        (Kind.GAP, None, 4),
    ],
)
def test_a_log_gets_what_matters(kind: Kind, verdict: Verdict | None, expected: int | None) -> None:
    """A connection that is allowed is in the stream only."""
    assert severity(replace(EVENT, kind=kind, verdict=verdict)) == expected


def test_the_journal_gets_fields() -> None:
    """Names that journald takes, the human line first."""
    fields = dict(
        line.split(b"=", 1) for line in journal(EVENT, 4).removesuffix(b"\n").split(b"\n")
    )
    assert fields == {
        b"MESSAGE": EVENT.line.encode(),
        b"PRIORITY": b"4",
        b"SYSLOG_IDENTIFIER": b"agent-sensor",
        b"SYSLOG_FACILITY": b"10",
        b"AGENT_SENSOR_SEQ": b"7",
        b"AGENT_SENSOR_AT": EVENT.at.encode(),
        b"AGENT_SENSOR_KIND": b"exec",
        b"AGENT_SENSOR_VERDICT": b"alert",
        b"AGENT_SENSOR_RULE": b"default",
        b"AGENT_SENSOR_TOOL": b"codex",
        b"AGENT_SENSOR_VENDOR": b"openai",
        b"AGENT_SENSOR_SESSION": b"s1",
        b"AGENT_SENSOR_PID": b"9",
        b"AGENT_SENSOR_UID": b"0",
        b"AGENT_SENSOR_USER": b"root",
        b"AGENT_SENSOR_EXE": b"/x",
        b"AGENT_SENSOR_CWD": b"/",
        b"AGENT_SENSOR_IP": b"192.0.2.1",
        b"AGENT_SENSOR_PORT": b"443",
        b"AGENT_SENSOR_NAME": b"a.example",
        b"AGENT_SENSOR_ENDPOINT": b"openai",
    }


def test_absent_things_are_no_fields() -> None:
    """None is not a text."""
    bare = replace(
        EVENT, kind=Kind.LOSS, verdict=None, rule=None, tool=None, vendor=None, session=None,
        process=None, destination=None, loss=("exec", 3),
    )  # fmt: skip
    assert b"None" not in journal(bare, 4)
    assert journal(bare, 4).count(b"\n") == 7


def test_a_value_cannot_add_a_field() -> None:
    """A line break in a path goes with the value's length, as the protocol has it."""
    assert EVENT.process
    path = "/tmp/x\nPRIORITY=0\udcff"  # noqa: S108  # a name
    entry = journal(replace(EVENT, process=replace(EVENT.process, exe=path)), 4)
    raw = path.encode("utf-8", "backslashreplace")
    framed = b"AGENT_SENSOR_EXE\n" + len(raw).to_bytes(8, "little") + raw + b"\n"
    assert framed in entry
    assert entry.replace(framed, b"").count(b"\nPRIORITY") == 1


def test_syslog_gets_one_line() -> None:
    """Priority, time, name and pid, then what people read."""
    head = b"<84>Nov  3 04:03:07 agent-sensor[23]: "
    assert syslog(EVENT, 4, pid=23) == head + EVENT.line.encode()
    assert syslog(replace(EVENT, at="2026-01-23T14:03:07Z"), 5, pid=1).startswith(
        b"<85>Jan 23 14:03:07 agent-sensor[1]: "
    )


def test_a_dangerous_run_is_a_warning() -> None:
    """Whatever policy says of it."""
    quiet = replace(EVENT, verdict=Verdict.ALLOW)
    assert severity(replace(quiet, risk=(Evidence("unguarded", "--yolo"),))) == 4
