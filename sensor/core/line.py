# SPDX-License-Identifier: Apache-2.0
"""The human line of an event: when, which session, which tool, what.

Columns are aligned up to the last, which varies most, and begins with the
verdict where that is a block. A line says nothing that is not in the event, and
text that a process chose is quoted.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from sensor.core.container import short
from sensor.core.outcome import Outcome
from sensor.core.quote import LINE_LIMIT, quote, quote_all, quote_path
from sensor.core.units import count, duration, size
from sensor.core.words import SENSOR, Enforcement, Kind, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.core.event import Event, ProcessView
    from sensor.core.facts import Address

TOOL_COLUMNS = 12
"""Most tools' ids; a longer one shifts its line."""

TIME_COLUMNS = len("14:03:07.512")
"""What a line begins with."""

_TIME = slice(len("2026-11-23T"), len("2026-11-23T14:03:07.512"))
_SECONDS = len("2026-11-23T14:03:07")
_RCODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}  # RFC 1035
_SIGNAL_BITS = 0x7F  # WTERMSIG of wait(2)
_CWD_COLUMNS = 40
_CHANGE_COLUMNS = 240  # what became of a block or two
_ADDRESSES = 4
_RUNNER = "runner"
_UNDECIDED = "ambiguous"


def line(event: Event) -> str:
    """Write an event as one line of text."""
    session = event.session or "-"
    tool = event.tool or "-"
    verb, what = _WRITERS[event.kind]
    start = f"{event.at[_TIME]}  {session:8}  {tool:{TOOL_COLUMNS}}  {verb:7}"
    return f"{start}  {_verdict(event)}{what(event)}"


def _verdict(event: Event) -> str:
    """Say that something was refused and how, or would have been; all else goes without saying."""
    rule, how = quote(event.rule or "-"), event.enforcement or Enforcement.NONE
    match event.verdict:
        case Verdict.WOULD_BLOCK:
            return f"WOULD BLOCK by {rule}: "
        case Verdict.BLOCK if event.is_refused:
            return f"BLOCKED ({how.value}) by {rule}: "
        case Verdict.BLOCK:
            return f"NOT BLOCKED, against {rule}: "
        case _:
            return ""


def _exec(event: Event) -> str:
    process = event.process
    if process is None:
        return "-"
    user = process.user or ("-" if process.uid is None else str(process.uid))
    return f"{quote(user):8}  {command(process)}{_notes(event, cwd=process.cwd)}"


def _exit(event: Event) -> str:
    status = event.process.status if event.process else None
    ended = "ended" if status is None else ending(status)
    return f"{ended}{_after(event)}{_notes(event)}"


def _connect(event: Event) -> str:
    to = event.destination
    if to is None:
        return "-"
    name = quote(to.name) if to.name else f"({to.endpoint})" if to.endpoint else ""
    words = (peer(to.ip, to.port), name, to.transport or "")
    return f"{' '.join(filter(None, words))}{_notes(event)}"


def _close(event: Event) -> str:
    to, traffic = event.destination, event.traffic
    if to is None or traffic is None:
        return "-"
    where = f"{quote(to.name)}:{to.port}" if to.name else peer(to.ip, to.port)
    took = duration(traffic.duration_ns)
    if traffic.outcome != Outcome.CLOSED and not (traffic.sent_bytes or traffic.received_bytes):
        return f"{where} {traffic.outcome} after {took}{_notes(event)}"
    outcome = "" if traffic.outcome == Outcome.CLOSED else f" {traffic.outcome}"
    sent, received = size(traffic.sent_bytes), size(traffic.received_bytes)
    return f"{where}{outcome} sent {sent} received {received} {took}{_notes(event)}"


def _resolve(event: Event) -> str:
    asked = event.destination
    if asked is None or asked.name is None:
        return "-"
    answer = ", ".join(map(str, asked.addresses[:_ADDRESSES])) or "no address"
    if len(asked.addresses) > _ADDRESSES:
        answer += f" [+{len(asked.addresses) - _ADDRESSES}]"
    if asked.rcode:
        answer = _RCODES.get(asked.rcode, f"rcode {asked.rcode}")
    cut = " (answer cut)" if asked.cut else ""
    return f"{quote(asked.name)} -> {answer}{cut}{_notes(event)}"


def _start(event: Event) -> str:
    reasons = ", ".join(f"{one.signal} {quote(one.value)}" for one in event.evidence)
    within = f" within {event.parent_session}" if event.parent_session else ""
    return f"started{within}, known by {reasons}{_notes(event)}"


def _end(event: Event) -> str:
    parts = [f"ended{_after(event)}"]
    if event.processes is not None:
        parts.append(count(event.processes, "process", "processes"))
    if event.hosts is not None:
        parts.append(count(event.hosts, "host", "hosts"))
    return ", ".join(parts)


def _loss(event: Event) -> str:
    what, amount = event.loss or ("-", 0)
    reason = f": {quote(event.reason)}" if event.reason else ""
    return f"{amount} {quote(what)} lost{reason}"


def _gap(event: Event) -> str:
    if event.gap is None:
        return "-"
    gap = event.gap
    seqs = "" if gap.first_seq is None else f", events {gap.first_seq} to {gap.last_seq} not kept"
    time = f"{gap.from_at[:_SECONDS]}Z to {gap.to_at[:_SECONDS]}Z"
    return f"{time}{seqs}: {quote(event.reason or '-', LINE_LIMIT)}"


def _policy(event: Event) -> str:
    policy = event.policy
    if policy is None:
        return "-"
    parts = [f"{policy.standing.replace('_', ' ')}, generation {policy.generation}"]
    if policy.source is not None:
        parts.append(quote(policy.source))
    if policy.rules is not None:
        parts.append(count(policy.rules, "rule", "rules"))
    if policy.blocks:
        parts.append(count(policy.blocks, "block", "blocks"))
    if policy.mode is not None:
        parts.append(quote(policy.mode))
    return f"{', '.join(parts)}{_because(event, _CHANGE_COLUMNS)}"


def _health(event: Event) -> str:
    if event.health is None:
        return "-"
    fails = "stopped" if event.health.what == SENSOR else "FAILS"
    works = "works" if event.health.is_well else fails
    return f"{quote(event.health.what)} {works}{_because(event)}"


def _because(event: Event, columns: int = LINE_LIMIT) -> str:
    return f": {quote(event.reason, columns)}" if event.reason else ""


def command(process: ProcessView) -> str:
    """Write the script, or the resolved file in place of argv[0], the process's own word."""
    arguments = (process.argv or ())[1:]
    if process.script:
        for at, argument in enumerate(arguments, 1):
            if posixpath.join(process.cwd or "", argument) == process.script:
                return quote_all((process.script, *arguments[at:]))
    return quote_all((process.exe or "-", *arguments))


def _notes(event: Event, *, cwd: str | None = None) -> str:
    """Write what tells processes apart, and what casts doubt on the rest of the line."""
    process = event.process
    if process is None:
        return ""
    notes = []
    if process.exe and (process.script or not cwd):
        notes.append(quote(posixpath.basename(process.exe)))
    elif process.comm:
        notes.append(quote(process.comm))
    if cwd:
        notes.append(f"cwd {quote_path(cwd, _CWD_COLUMNS)}")
    notes.append(f"pid {process.pid}")
    if process.container:
        notes.append(f"container {quote(short(process.container))}")
    if process.fileless:
        notes.append("fileless")
    if process.truncated:
        notes.append(f"cut: {' '.join(process.truncated)}")
    if event.late:
        notes.append("late")
    notes += [f"{one.signal} by {quote(one.value)}" for one in event.risk]
    notes += [f"run by {quote(one.value)}" for one in event.evidence if one.signal == _RUNNER]
    if event.lineage:
        notes.append(f"lineage {'' if event.lineage == _UNDECIDED else 'by '}{event.lineage}")
    return f"  ({', '.join(notes)})"


def ending(status: int) -> str:
    """Write how a process ended; ``status`` as in wait(2)."""
    signal = status & _SIGNAL_BITS
    return f"killed by signal {signal}" if signal else f"status {status >> 8}"


def _after(event: Event) -> str:
    return "" if event.duration_ns is None else f" after {duration(event.duration_ns)}"


def peer(ip: Address | None, port: int | None) -> str:
    """Write an address and a port, IPv6 in brackets."""
    if ip is None:
        return "-"
    host = str(ip) if ip.version == 4 else f"[{ip}]"  # noqa: PLR2004 - IPv4, which takes no brackets
    return host if port is None else f"{host}:{port}"


def _inventory(event: Event) -> str:
    found = event.inventory
    if found is None:
        return "-"
    user = quote(found.user) if found.user else "-" if found.uid is None else str(found.uid)
    parts = [f"{found.state} in {quote_path(found.home or '/', _CWD_COLUMNS)}", found.certainty]
    if found.versions:
        parts.append(quote(" ".join(found.versions), _CWD_COLUMNS))
    if found.last_used:
        parts.append(f"last used {quote(found.last_used)}")
    kinds = " ".join(dict.fromkeys(clue.kind for clue in found.traces))
    return f"{user:8}  {', '.join(parts)}  (by {quote(kinds or '-', LINE_LIMIT)})"


_WRITERS: dict[Kind, tuple[str, Callable[[Event], str]]] = {
    Kind.EXEC: ("exec", _exec),
    Kind.EXIT: ("exit", _exit),
    Kind.CONNECT: ("connect", _connect),
    Kind.CLOSE: ("close", _close),
    Kind.RESOLVE: ("resolve", _resolve),
    Kind.SESSION_START: ("session", _start),
    Kind.SESSION_END: ("session", _end),
    Kind.LOSS: ("loss", _loss),
    Kind.GAP: ("gap", _gap),
    Kind.POLICY: ("policy", _policy),
    Kind.HEALTH: ("health", _health),
    Kind.INVENTORY: ("found", _inventory),
}
