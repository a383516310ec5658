# SPDX-License-Identifier: Apache-2.0
"""Gathers what a report tells, and writes it: one file for a case or a time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from sensor.core.filter import Filter
from sensor.core.inventory import Clue, Inventory
from sensor.core.report.case import BLOCKED, Case
from sensor.core.report.view import amounts, finding, view
from sensor.core.treetext import lines
from sensor.core.units import count
from sensor.core.wall import rfc3339
from sensor.core.words import Kind
from sensor.daemon import searching
from sensor.edge import page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sensor.core.audit.findings import Finding
    from sensor.core.sessionbook import Run
    from sensor.core.when import When
    from sensor.daemon.audit import Looked
    from sensor.daemon.reading import Source
    from sensor.daemon.searching import Counted

MOST_TREES = 40
"""Sessions of which the whole tree is shown: the blocked ones first, then the newest."""

MOST_LINES = 400
"""Of one tree."""

_EVERYBODYS = frozenset(kind.value for kind in (Kind.LOSS, Kind.GAP, Kind.POLICY, Kind.HEALTH))
_MINUTE = len("2026-11-23T14:03")


@dataclass(frozen=True, slots=True)
class Seal:
    """What the seals say: ``word`` is ``intact``, ``broken`` or ``unchecked``."""

    word: str
    text: str
    seal: str | None = None


def write_report(
    path: Path,
    source: Source,
    wanted: Filter,
    *,
    since: When | None,
    until: When | None,
    title: str,
    seal: Seal,
    counted: Counted = iter,
) -> int:
    """Write the report of a time; returns the number of sessions in it."""
    case, now = Case(), searching.now(source)
    for event in counted(source.events(wanted, since=since, until=until)):
        case.take(event)
    if wanted != Filter():  # what is missing, and what holds, matters to all
        for event in source.events(Filter(kinds=_EVERYBODYS), since=since, until=until):
            case.take(event)
    runs = searching.runs(source, wanted, since=since, until=until, counted=counted)
    trees = {run.id: _tree(source, run, counted) for run in _chosen(runs)}
    period = [at[:_MINUTE].replace("T", " ") for at in (case.first_at, case.last_at) if at]
    hosts = sorted({run.host for run in runs})
    values = view(case, runs, trees, now=now, now_ns=time.time_ns())
    values |= {
        "where": f"{', '.join(hosts) or 'no session'}; events from {' to '.join(period) or '-'}",
        "seal": seal,
        **_head(title),
    }
    page.write(path, page.page("report.html", values))
    return len(runs)


def write_audit(path: Path, found: Sequence[Finding], looked: Looked) -> None:
    """Write the findings of an audit."""
    figures = [
        (len(found), "finding", "findings"),
        (len({one.tool for one in found}), "tool", "tools"),
        (looked.homes, "home", "homes"),
        (looked.layers, "container layer", "container layers"),
        (looked.entries, "name looked at", "names looked at"),
    ]
    values = {
        "figures": [
            {"value": f"{amount:,}", "name": one if amount == 1 else several}
            for amount, one, several in figures
        ],
        "found": [finding(one.tool, _inventory(one)) for one in found],
        "left": amounts(looked.left),
        "where": count(looked.homes, "home", "homes"),
        **_head("Where AI tools are or were installed"),
    }
    page.write(path, page.page("audit.html", values))


def _head(title: str) -> dict[str, object]:
    made_at = rfc3339(time.time_ns())[: len("2026-11-23T14:03:07")].replace("T", " ")
    return {"title": title, "version": version("agent-sensor"), "made_at": f"{made_at}Z"}


def _inventory(one: Finding) -> Inventory:
    """Take a finding as the stream would have it."""
    plain = one.as_dict()
    clues: Iterable[dict[str, object]] = plain["traces"]  # type: ignore[assignment]
    names = ("user", "uid", "home", "place", "state", "certainty", "first_seen", "last_used")
    return Inventory(
        **{name: plain[name] for name in names},  # type: ignore[arg-type]
        versions=tuple(one.versions),
        traces=tuple(
            Clue(**{**clue, "shared_with": tuple(clue["shared_with"])})  # type: ignore[arg-type]
            for clue in clues
        ),
        traces_left_out=one.left_out,
    )


def _chosen(runs: Sequence[Run]) -> list[Run]:
    newest = sorted(
        runs, key=lambda run: (run.verdict not in BLOCKED and not run.refused, -run.first_seq)
    )
    return newest[:MOST_TREES]


def _tree(source: Source, run: Run, counted: Counted) -> list[str]:
    _, trees = searching.session(source, run.id, counted=counted)
    shown = [line for tree in trees for line in lines(tree)]
    if len(shown) > MOST_LINES:
        more = count(len(shown) - MOST_LINES, "line", "lines")
        shown = [*shown[:MOST_LINES], f"... {more} more: agent-sensor sessions show {run.id}"]
    return shown
