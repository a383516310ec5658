# SPDX-License-Identifier: Apache-2.0
"""What a daemon takes real programs for: each start is told apart by a cgroup of its own.

trial = Trial(police, lab)
ran = trial.run([program, "--version"])
trial.settle()
trial.takes(ran)    # Taken(tools={"codex"}, verdicts={"would_block"})
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support import tools
from support.drivers import built
from support.scope import Scope
from support.tools import installed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from support.lab import Lab
    from support.policing import Policing
    from support.running import Event

SENTINEL = "claude"
SEEN, UNSEEN, OTHER, ABSENT = "seen", "not seen", "taken for another", "-"
_RUN_S, _SETTLE_S = 40, 180


@dataclass(frozen=True, slots=True)
class Attempt:
    """One start: its cgroup, and how it ended (None: it had to be ended)."""

    cgroup_id: int
    status: int | None
    said: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a start was told as: tools of its sessions, and what policy said."""

    tools: frozenset[str]
    verdicts: frozenset[str]
    lines: tuple[str, ...] = field(repr=False)

    def outcome(self, expected: Sequence[str]) -> str:
        """Put it under a column of the table."""
        if not self.tools:
            return UNSEEN
        return SEEN if self.tools & set(expected) else OTHER


class Trial:
    """Runs programs below the scope of a daemon, in one lab."""

    def __init__(self, police: Policing, lab: Lab) -> None:
        self._police = police
        self._lab = lab
        self._since = police.seq()
        self._node = f"{installed(tools.NODE).parent}:/usr/bin:/bin"
        folder = lab.path / "sentinel"
        folder.mkdir(exist_ok=True)
        self._sentinel = shutil.copy(built() / "nothing", folder / SENTINEL)

    def run(
        self,
        argv: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
        timeout_s: float = _RUN_S,
    ) -> Attempt:
        """Run something to its end, or for so long."""
        cwd = self._lab.home / "cwd"
        cwd.mkdir(exist_ok=True)
        with Scope(parent=self._police.scope.path) as scope:
            cgroup_id = scope.path.stat().st_ino
            ran = self._lab.run(
                argv, scope=scope, env={"PATH": self._node, **(env or {})}, cwd=cwd,
                timeout_s=timeout_s,
            )  # fmt: skip
        return Attempt(cgroup_id, ran.status, (ran.stderr or ran.stdout)[-300:])

    def begin(self) -> None:
        """Forget what was told so far."""
        self._since = self._police.seq()

    def settle(self) -> None:
        """Wait until all is told: no file waits, and what was started after the rest is told."""
        self._mark()
        end = time.monotonic() + _SETTLE_S
        while self._police.waiting():
            assert time.monotonic() < end, "files wait to be looked into for ever"
            time.sleep(0.2)
        self._mark()

    def takes(self, attempt: Attempt) -> Taken:
        """Say what a start was told as."""
        own = [one for one in self._events() if _cgroup(one) == attempt.cgroup_id]
        # A refused execution has no session; what a tool starts bears its tool, and no verdict.
        told = [one for one in own if one["tool"]]
        return Taken(
            frozenset(one["tool"] for one in told),
            frozenset(one["verdict"] for one in told if one["verdict"]),
            tuple(one["line"] for one in told[:5]),
        )

    def _events(self) -> list[Event]:
        return [
            event
            for kind in ("session_start", "exec")
            for event in self._police.told_of(self._since, kind)
        ]

    def _mark(self) -> None:
        """Start something that is told at once, and wait until it is."""
        mark = self.run([self._sentinel])
        end = time.monotonic() + _SETTLE_S
        while not any(_cgroup(one) == mark.cgroup_id for one in self._events()):
            assert time.monotonic() < end, "the sentinel was not told"
            time.sleep(0.2)


class Table:
    """Rows by name, columns by way or verdict; what is put in is printed as it stands."""

    def __init__(self) -> None:
        self.cells: dict[str, dict[str, str]] = {}
        self.notes: list[str] = []

    def put(self, row: str, column: str, value: str) -> None:
        """Fill one cell."""
        self.cells.setdefault(row, {})[column] = value

    def counts(self, columns: Sequence[str], values: Sequence[str]) -> str:
        """Give the confusion table: a row for each column of the cells, a column for each value."""
        lines = [("", *values)]
        for column in columns:
            found = Counter(row.get(column, ABSENT) for row in self.cells.values())
            lines.append((column, *(str(found[value]) for value in values)))
        return aligned(lines)

    def whole(self, columns: Sequence[str]) -> str:
        """Give each cell."""
        return aligned([
            ("", *columns),
            *((name, *(row.get(c, ABSENT) for c in columns)) for name, row in self.cells.items()),
        ])  # fmt: skip


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lay rows out in columns."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cgroup(event: Event) -> int | None:
    process = event["process"]
    return process["cgroup_id"] if process else None
