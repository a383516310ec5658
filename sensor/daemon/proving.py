# SPDX-License-Identifier: Apache-2.0
"""Proof that what policy refuses is refused: the canary, at the start and every few minutes.

The kernel refuses it by the tables, programs and hooks that refuse everything
else. Nothing wakes up for it while nothing is enforced.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.facts import Health
from sensor.core.wall import rfc3339
from sensor.edge import canary, guarded, proc
from sensor.errors import SensorError
from sensor.wire.orders import Prove
from sensor.wire.reports import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.daemon.deputy import Deputy
    from sensor.wire.reports import Report

ADDRESS = ip_address(canary.ADDRESS)
EVERY_NS = 300 * 1_000_000_000
NOTE = "canary"
"""The file in the run directory that says where the canary's cgroup is, for ``unload``."""

ENFORCEMENT = "enforcement"
_FOLDER = "agent-sensor-canary-"
_NS_PER_S = 1_000_000_000


class Proving:
    """Has the canary tried; ``tell`` gets the health of enforcement when it changes.

    ``ways`` are those by which the canary was refused last, like ``exec:lsm``. What happened
    when is noted by the wall clock as it was then: one that is set later changes nothing of it.
    """

    def __init__(
        self, deputy: Deputy, *, run_dir: Path, cgroup: Path, tell: Callable[[Health], None]
    ) -> None:
        self._deputy = deputy
        self._run_dir = run_dir
        self._cgroup = cgroup
        self._tell = tell
        self._due_ns: int | None = None
        self._is_settled = False
        self._round = 0
        self.proved_ns: int | None = None
        self.proved_at: str | None = None
        self.failed_at: str | None = None
        self.why: str | None = None
        self.ways: frozenset[str] = frozenset()

    def settle(self) -> int | None:
        """Make the canary's cgroup and program. Returns the cgroup's id.

        None where they cannot be had: nothing can be proved then, which is told.
        """
        self._is_settled = False
        self._round += 1
        try:
            guarded.write(self._run_dir / NOTE, f"{self._cgroup}\n")
            self._program = canary.program(self._run_dir)
            cgroup_id = canary.settle(self._cgroup)
        except (OSError, SensorError) as problem:
            self._fail(f"the canary has no place: {problem}")
            return None
        self._is_settled = True
        return cgroup_id

    def begin(self) -> None:
        """Prove it now, and from now on."""
        if not self._is_settled:
            return
        self._due_ns = _now_ns()
        self.turn()

    def end(self) -> None:
        """Prove nothing any more."""
        self._due_ns = self.proved_ns = self.proved_at = self.failed_at = self.why = None
        self.ways = frozenset()

    def lose(self, why: str) -> None:
        """Prove nothing any more, because nothing is there that could refuse."""
        if self._due_ns is None:
            return
        self._due_ns = None
        self.ways = frozenset()
        self._fail(why)

    def timeout(self) -> float | None:
        """Say for how long nothing is due; None: for ever."""
        return None if self._due_ns is None else max(0, self._due_ns - _now_ns()) / _NS_PER_S

    def turn(self) -> bool:
        """Have the canary tried where that is due. Tells whether it was."""
        now_ns = _now_ns()
        if self._due_ns is None or now_ns < self._due_ns:
            return False
        self._due_ns = now_ns + EVERY_NS
        order = Prove(str(self._cgroup), str(self._program))
        if not self._deputy.order(order, partial(self._answered, self._round)):
            self._fail("the deputy takes no orders")
        return True

    def _answered(self, asked_in: int, report: Report) -> None:
        """Take what came of it, unless policy has changed meanwhile: then nothing is proved."""
        if asked_in == self._round:
            self.heard(report)

    def heard(self, report: Report) -> None:
        """Take what came of it."""
        if self._due_ns is None:
            return  # policy was taken away meanwhile
        self.ways = (
            frozenset(report.detail.split()) if report.outcome is Outcome.DONE else (frozenset())
        )
        if report.outcome is not Outcome.DONE:
            self._fail(f"the canary could not try: {report.detail}")
            return
        passed = [
            word
            for word, refused in (
                ("an execution", any(way.startswith("exec:") for way in self.ways)),
                ("a connection", "connect" in self.ways),
            )
            if not refused
        ]
        if passed:
            self._fail(f"the canary was not refused {' and '.join(passed)}")
            return
        was_wrong = self.why is not None
        self.proved_ns, self.proved_at = _now_ns(), rfc3339(time.time_ns())
        self.failed_at = self.why = None
        if was_wrong:
            self._tell(Health(at_ns=_now_ns(), what=ENFORCEMENT, is_well=True))

    def _fail(self, why: str) -> None:
        is_new, self.why = self.why != why, why
        self.failed_at = self.failed_at or rfc3339(time.time_ns())
        if is_new:
            self._tell(Health(at_ns=_now_ns(), what=ENFORCEMENT, is_well=False, why=why))

    def remove(self) -> None:
        """Take cgroup, program and note away."""
        remove(self._run_dir, self._cgroup)


def cgroup_for(instance: str, *, scope: Path, top: Path) -> Path:
    """Say where an instance's canary has its cgroup: below our own if that is in the scope."""
    own = top / (proc.cgroup(os.getpid()) or "/").lstrip("/")
    parent = own if own.is_relative_to(scope) else scope
    return parent / f"{_FOLDER}{instance}"


def remove_noted(run_dir: Path, instance: str, *, top: Path) -> None:
    """Take away what the note of a sensor that was killed names, if that is a canary's cgroup."""
    try:
        cgroup = Path(guarded.read(run_dir / NOTE).strip())
    except SensorError:
        return
    if cgroup.name == f"{_FOLDER}{instance}" and cgroup.is_relative_to(top):
        remove(run_dir, cgroup)


def remove(run_dir: Path, cgroup: Path) -> None:
    """Take cgroup, program and note away."""
    canary.remove(cgroup)
    for name in canary.NAME, NOTE:
        with suppress(FileNotFoundError):
            (run_dir / name).unlink()


def _now_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
