# SPDX-License-Identifier: Apache-2.0
"""Kernel time that the probes add to what concerns nobody, by BPF run-time statistics."""

from __future__ import annotations

import shutil
import statistics
from typing import TYPE_CHECKING

from bench import programs
from bench.sensor import Sensor
from bench.table import Table, verdict
from support.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.programs import Programs, Runs
    from bench.workshop import Argument, Workshop

TRIO_NS = 1500
CONNECT_NS = 500
_TRIO = ("seen_exec", "seen_fork", "seen_exit")
_CONNECT = ("seen_connect4", "seen_state", "seen_answer")
_SCRIPT = "/usr/lib/project/tools/generate_sources.py"
_LONG = "--include=" + "x" * 500


def measure(shop: Workshop) -> Table:
    """Measure each program over bursts of ordinary work."""
    with Scope() as scope, Sensor(scope.path) as sensor, programs.statistics():
        ours = programs.Programs(sensor.pid)

        def run(argv: Sequence[Argument]) -> None:
            assert scope.run(list(argv)).wait() == 0

        bench = _Bursts(shop, ours, run)
        rows = [*bench.execs(), *bench.connects()]
        ours.close()
        counting = _counting(shop, run)
    return Table(
        "Added kernel time of what is no AI tool",
        ("what", "exec ns", "fork ns", "exit ns", "together us", "bound us", ""),
        tuple(rows),
        (
            "Medians of bursts. For a connect the three columns are connect4, the state changes of"
            " both ends of the connection, and the arriving packets: each times its runs a connect.",
            f"The statistics count themselves in: an empty program takes {counting:.0f} ns a run.",
        ),
    )


class _Bursts:
    """Bursts of one kind of work each, with the programs' counters read around them."""

    def __init__(
        self, shop: Workshop, ours: Programs, run: Callable[[Sequence[Argument]], None]
    ) -> None:
        self._shop, self._ours, self._run = shop, ours, run
        self._count = shop.times(500, 200)
        self._bursts = shop.times(11, 3)

    def execs(self) -> list[tuple[str, ...]]:
        nothing = self._shop.driver("nothing")
        python, node = (self._shop.driver("nothing", name) for name in ("python3", "node"))
        return [
            self._trio("/bin/true, seen before", lambda _: ["/bin/true"]),
            self._trio("static program, seen before", lambda _: [nothing]),
            self._trio("program never seen, 4 folders deep", self._fresh(4)),
            self._trio("program never seen, 12 folders deep", self._fresh(12)),
            self._trio("python3 SCRIPT", lambda _: [python, _SCRIPT, "--quiet"]),
            self._trio("node SCRIPT, 500 bytes more", lambda _: [node, _SCRIPT, _LONG]),
        ]

    def _fresh(self, depth: int) -> Callable[[int], Sequence[Argument]]:
        """Make new files for each burst; /tmp and the workshop are two of the folders."""

        def make(burst: int) -> Sequence[Argument]:
            folder = self._shop.folder.joinpath(f"{depth}-{burst}", *("deep",) * (depth - 3))
            folder.mkdir(parents=True)
            for i in range(self._count):
                shutil.copy(self._shop.driver("nothing"), folder / f"program{i}")
            return [folder / "program%d"]

        return make

    def _trio(self, what: str, argv: Callable[[int], Sequence[Argument]]) -> tuple[str, ...]:
        repeat = self._shop.driver("repeat")
        means: list[list[float]] = []
        for burst in range(self._bursts):
            words = [repeat, str(self._count), "0", *argv(burst)]
            runs = self._spent(words)
            means.append([runs[name].total_ns / runs[name].count for name in _TRIO])
        return _row(what, means, TRIO_NS)

    def connects(self) -> list[tuple[str, ...]]:
        count = 4 * self._count
        means = []
        for _ in range(self._bursts):
            runs = self._spent([self._shop.driver("dial"), str(count)])
            means.append([runs[name].total_ns / count for name in _CONNECT])
        return [_row("connect over TCP, loopback", means, CONNECT_NS)]

    def _spent(self, words: Sequence[Argument]) -> dict[str, Runs]:
        before = self._ours.runs()
        self._run(words)
        return {name: runs.since(before[name]) for name, runs in self._ours.runs().items()}


def _row(what: str, means: Sequence[Sequence[float]], bound_ns: float) -> tuple[str, ...]:
    each = [statistics.median(column) for column in zip(*means, strict=True)]
    together = statistics.median(map(sum, means))
    return (
        what,
        *(f"{value:.0f}" for value in each),
        f"{together / 1000:.2f}",
        f"{bound_ns / 1000:.1f}",
        verdict(together, bound_ns),
    )


def _counting(shop: Workshop, run: Callable[[Sequence[Argument]], None]) -> float:
    """Measure what the statistics say of a program that does nothing."""
    with programs.empty_program("sched_process_exit") as fd:
        run([shop.driver("repeat"), "500", "0", shop.driver("nothing")])
        runs = programs.runs_of(fd)
    return runs.total_ns / runs.count
