# SPDX-License-Identifier: Apache-2.0
"""What the templates are given: text, numbers and lists, and nothing that they could call.

Text that somebody chose is made visible here (what is not printable becomes an
escape); that it is no markup is the templates' part, which escape everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.line import command
from sensor.core.proof.place import is_proof
from sensor.core.quote import visible
from sensor.core.report.case import BLOCKED, MOST_RUNS, span_of
from sensor.core.report.timeline import HEAD, LANE, NAMES, WIDTH, Span, timeline
from sensor.core.sessionbook import State, user_of
from sensor.core.units import count, duration, size
from sensor.core.wall import instant
from sensor.core.words import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sensor.core.event import Event
    from sensor.core.inventory import Inventory
    from sensor.core.report.case import Case, Peer
    from sensor.core.sessionbook import Now, Run

_LONGEST = 400
_SECONDS = len("2026-11-23T14:03:07")


def view(
    case: Case, runs: Sequence[Run], trees: Mapping[str, Sequence[str]], *, now: Now, now_ns: int
) -> dict[str, object]:
    """Show a case; ``trees`` are the lines of some sessions' trees, ``now_ns`` the wall clock."""
    shown = runs[:MOST_RUNS]
    left_out = dict(case.left_out)
    if len(runs) > len(shown):
        left_out["sessions"] = len(runs) - len(shown)
    return {
        "figures": _figures(case, runs),
        "timeline": _timeline(case, shown, now, now_ns),
        "drawing": {"width": WIDTH, "names": NAMES, "lane": LANE, "head": HEAD},
        "sessions": [_session(run, now) for run in shown],
        "trees": [
            {"id": run.id, "head": _session(run, now), "lines": list(trees[run.id])}
            for run in shown
            if run.id in trees
        ],
        "peers": [_peer(peer) for peer in case.by_endpoint()],
        "attempts": [_attempt(event) for event in case.attempts],
        "found": [finding(event.tool, found) for event, found in case.found.values()],
        "standing": _lines(case.standing),
        "lacks": _lines(case.lacks),
        "left_out": [f"{amount:,} {what}" for what, amount in sorted(left_out.items())],
    }


def text(value: str | None, longest: int = _LONGEST) -> str:
    """Make text visible, and cut what nobody would read."""
    if value is None:
        return "-"
    return _cut(visible(value[: longest + 1]), longest)


def _cut(line: str, longest: int = _LONGEST) -> str:
    """Cut a line; an event's own is fit to be shown already."""
    return line if len(line) <= longest else f"{line[:longest]} […]"


def finding(tool: str | None, found: Inventory) -> dict[str, object]:
    """Show what an audit found."""
    home = found.home or "the system's own places"
    user = found.user or ("-" if found.uid is None else f"uid {found.uid}")
    return {
        "tool": tool or "-",
        "user": "(system)" if found.home is None and found.uid is None else text(user),
        "home": text(f"{found.place}: {home}" if found.place else home),
        "state": found.state,
        "certainty": found.certainty,
        "first_seen": _second(found.first_seen),
        "last_used": _second(found.last_used),
        "versions": text(", ".join(found.versions)) if found.versions else "-",
        "traces": [
            {
                "kind": clue.kind,
                "shows": clue.shows,
                "certainty": clue.certainty,
                "path": text(clue.path),
                "at": _second(clue.last_at or clue.first_at),
                "note": ", ".join(
                    filter(
                        None,
                        (
                            clue.version,
                            text(clue.note) if clue.note else None,
                            f"shared with {', '.join(clue.shared_with)}"
                            if clue.shared_with
                            else None,
                        ),
                    )
                ),
            }
            for clue in found.traces
        ],
        "left_out": found.traces_left_out,
    }


def _lines(events: Sequence[Event]) -> list[dict[str, str]]:
    return [{"at": _second(event.at), "line": _cut(event.line)} for event in events]


def _figures(case: Case, runs: Sequence[Run]) -> list[dict[str, str]]:
    users = {user_of(run.process) for run in runs}
    amounts = [
        (len(runs), "session", "sessions"),
        (len({run.tool for run in runs}), "tool", "tools"),
        (len(users), "user", "users"),
        (sum(peer.connections for peer in case.peers.values()), "connection", "connections"),
        (case.refused, "attempt blocked", "attempts blocked"),
        (case.verdicts["would_block"], "would be blocked", "would be blocked"),
        (len(case.found), "audit finding", "audit findings"),
        (len(case.lacks), "gap or loss", "gaps and losses"),
    ]
    figures = [
        {"value": f"{amount:,}", "name": one if amount == 1 else several}
        for amount, one, several in amounts
    ]
    sent = sum(peer.sent_bytes for peer in case.peers.values())
    return [*figures[:4], {"value": size(sent), "name": "sent"}, *figures[4:]]


def _timeline(case: Case, runs: Sequence[Run], now: Now, now_ns: int) -> object:
    spans = []
    for run in runs:
        is_running = run.state(now) is State.RUNNING
        began, ended = span_of(run, now_ns if is_running else 0)
        lane = f"{text(run.tool, 24)} · {text(_user(run), 16)}"
        told = f"{run.id}, {run.state_told(now)}, from {_second(run.started_at or run.first_at)}"
        spans.append(Span(lane, began, ended, told, run.verdict in BLOCKED))
    gaps = [
        Span("", instant(event.gap.from_at), instant(event.gap.to_at), _cut(event.line))
        for event in case.lacks
        if event.gap
    ]
    if not spans:
        return None
    first = min(span.from_ns for span in spans)
    last = max(span.to_ns for span in spans)
    return timeline(
        spans,
        [gap for gap in gaps if gap.to_ns >= first and gap.from_ns <= last],
        from_ns=first,
        to_ns=last,
    )


def _session(run: Run, now: Now) -> dict[str, object]:
    lasted = run.lasted_ns(now)
    return {
        "id": run.id,
        "tool": text(run.tool),
        "vendor": text(run.vendor),
        "user": text(_user(run)),
        "host": text(run.host),
        "started": _second(run.started_at or run.first_at),
        "state": run.state_told(now),
        "lasted": "-" if lasted is None else duration(lasted),
        "processes": "-" if run.processes is None else run.processes,
        "hosts": "-" if run.hosts is None else run.hosts,
        "sent": size(run.sent_bytes),
        "received": size(run.received_bytes),
        "verdict": run.verdict or "-",
        "rule": text(run.rule),
        "command": _cut(command(run.process)) if run.process else "-",
        "evidence": ", ".join(f"{one.signal} {text(one.value)}" for one in run.evidence),
    }


def _user(run: Run) -> str:
    process = run.process
    if process is None:
        return "-"
    return process.user or ("-" if process.uid is None else str(process.uid))


def _peer(peer: Peer) -> dict[str, object]:
    return {
        "endpoint": peer.endpoint or "-",
        "name": text(peer.name),
        "ports": ", ".join(map(str, sorted(peer.ports))) or "-",
        "connections": peer.connections,
        "refused": peer.refused,
        "sent": size(peer.sent_bytes),
        "received": size(peer.received_bytes),
        "tools": ", ".join(sorted(peer.tools)) or "-",
        "users": ", ".join(sorted(peer.users)) or "-",
        "verdicts": ", ".join(f"{word} {amount}" for word, amount in sorted(peer.verdicts.items())),
    }


def _attempt(event: Event) -> dict[str, object]:
    return {
        "at": _second(event.at),
        "seq": event.seq,
        "tool": event.tool or "-",
        "user": user_of(event.process),
        "verdict": event.verdict.value if event.verdict else "-",
        "how": _how(event),
        "rule": text(event.rule),
        "reason": text(event.reason) if event.reason else "",
        "line": _cut(event.line),
    }


def _how(event: Event) -> str:
    """Say what came of it; some of what policy refuses ran or was open before."""
    by = " (prove)" if is_proof(event.process) else ""
    if event.is_refused and event.enforcement:
        return event.enforcement.value + by
    return f"{'not refused' if event.verdict is Verdict.BLOCK else '-'}{by}"


def _second(at: str | None) -> str:
    """Write a time without its fraction, for people."""
    return f"{at[:_SECONDS].replace('T', ' ')}Z" if at else "-"


def amounts(left: Mapping[str, int]) -> list[str]:
    """Say what an audit did not look at."""
    return [f"{count(amount, 'place', 'places')} {why}" for why, amount in sorted(left.items())]
