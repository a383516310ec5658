# SPDX-License-Identifier: Apache-2.0
"""Kernel time that the probes add to what concerns nobody, by BPF run-time statistics."""

from __future__ import annotations

import shutil
import statistics
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.host import copied
from support.scope import Scope

from bench import programs
from bench.sensor import Sensor
from bench.table import Table, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bench.programs import Programs, Runs
    from bench.workshop import Argument, Workshop

TRIO_NS = 1500
CONNECT_NS = 500
_EMPTY = "empty"
_TRIO = ("seen_exec", "seen_fork", "seen_exit")
_CONNECT = ("seen_connect4", "seen_state", "missed_state", "seen_answer")
_REMARK = (
    "Medians of bursts. The statistics count themselves in: what they say of an empty program that"
    " runs behind ours is taken off for each run, and the bound is held against the rest."
)
_LONG = "--include=" + "x" * 500


def execs(shop: Workshop) -> Table:
    """Measure what the programs take of executions, over bursts of ordinary work."""
    with _bursts(shop) as bursts:
        rows = bursts.execs()
    return _table(
        "fork + exec + exit of what is no AI tool", ("exec ns", "fork ns", "exit ns"), rows
    )


def connects(shop: Workshop) -> Table:
    """Measure what the programs take of connections, over bursts of them."""
    with _bursts(shop) as bursts:
        rows = bursts.connects()
    columns = ("connect4 ns", "states ns", "again ns", "packets ns")
    return _table(
        "connect that concerns nobody",
        columns,
        rows,
        "States are those of both ends, which are on this host; again is the stand-by behind each"
        " one; packets are those that arrive, at both ends too. The connection is closed as well.",
    )


def _table(
    what: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], *remarks: str
) -> Table:
    return Table(
        f"Added kernel time: {what}",
        ("what", *columns, "together us", "runs", "less counting us", "bound us", ""),
        tuple(rows),
        (
            _REMARK,
            *remarks,
        ),
    )


@contextmanager
def _bursts(shop: Workshop) -> Iterator[_Bursts]:
    with Scope() as scope, Sensor(scope.path) as sensor, programs.statistics():
        ours = programs.Programs(sensor.pid)

        try:
            yield _Bursts(shop, ours, scope)
        finally:
            ours.close()


class _Bursts:
    """Bursts of one kind of work each, with the programs' counters read around them."""

    def __init__(self, shop: Workshop, ours: Programs, scope: Scope) -> None:
        self._shop, self._ours, self._scope = shop, ours, scope
        self._count = shop.times(500, 200)
        self._bursts = shop.times(11, 3)

    def execs(self) -> list[tuple[str, ...]]:
        nothing = self._shop.driver("nothing")
        python, node = (self._shop.driver("nothing", name) for name in ("python3", "node"))
        script = self._shop.folder / "generate_sources.py"
        script.touch()
        return [
            self._trio("/bin/true, seen before", lambda _: ["/bin/true"]),
            self._trio("static program, seen before", lambda _: [nothing]),
            self._trio("program never seen, 4 folders deep", self._fresh(4)),
            self._trio("program never seen, 12 folders deep", self._fresh(12)),
            self._trio("python3 SCRIPT, seen before", lambda _: [python, script, "--quiet"]),
            self._trio("python3 SCRIPT, never seen", self._fresh_scripts(python)),
            self._trio("node SCRIPT, 500 bytes more", lambda _: [node, script, _LONG]),
            self._beside_a_tool(),
        ]

    def _beside_a_tool(self) -> tuple[str, ...]:
        """Have somebody followed meanwhile: then each execution is looked at for who started it."""
        tool = copied("sh", self._shop.folder / "tool")
        waits = self._scope.run([tool, "-c", "read -r _; exit 0"], stdin=subprocess.PIPE)
        try:
            return self._trio("/bin/true, while a tool runs", lambda _: ["/bin/true"])
        finally:
            waits.communicate()

    def _run(self, argv: Sequence[Argument]) -> None:
        assert self._scope.run(argv, stdout=subprocess.DEVNULL).wait() == 0

    def _fresh(self, depth: int) -> Callable[[int], Sequence[Argument]]:
        """Make new files for each burst; /tmp and the workshop are two of the folders."""

        def make(burst: int) -> Sequence[Argument]:
            folder = self._shop.folder.joinpath(f"{depth}-{burst}", *("deep",) * (depth - 3))
            folder.mkdir(parents=True)
            for i in range(self._count):
                shutil.copy(self._shop.driver("nothing"), folder / f"program{i}")
            return [folder / "program%d"]

        return make

    def _fresh_scripts(self, python: Path) -> Callable[[int], Sequence[Argument]]:
        """Make new scripts for each burst: user space looks into each of them, once."""

        def make(burst: int) -> Sequence[Argument]:
            folder = self._shop.folder / f"scripts-{burst}"
            folder.mkdir()
            for i in range(self._count):
                (folder / f"{i}.py").touch()
            return [python, folder / "%d.py"]

        return make

    def _trio(self, what: str, argv: Callable[[int], Sequence[Argument]]) -> tuple[str, ...]:
        repeat = self._shop.driver("repeat")
        bursts = []
        for burst in range(self._bursts):
            runs = self._spent([repeat, str(self._count), "0", *argv(burst)], "sched_process_exit")
            means = [_mean(runs[name]) for name in _TRIO]
            bursts.append(_Burst(means, len(_TRIO), _mean(runs[_EMPTY])))
        return _row(what, bursts, TRIO_NS)

    def connects(self) -> list[tuple[str, ...]]:
        dial, flood = self._shop.driver("dial"), self._shop.driver("flood")
        tcp: list[Argument] = [dial, str(4 * self._count)]
        udp: list[Argument] = [flood, str(40 * self._count), "0"]
        return [
            self._connect("TCP over loopback, and its close", tcp),
            self._connect("datagram socket", udp, [dial, "100"]),
        ]

    def _connect(
        self, what: str, program: Sequence[Argument], beside: Sequence[Argument] = ()
    ) -> tuple[str, ...]:
        """Run bursts of a program; ``beside`` changes TCP states where it does not itself."""
        count = int(str(program[1]))
        bursts = []
        for _ in range(self._bursts):
            runs = self._spent(program, "inet_sock_set_state")
            empty = self._spent(beside, "inet_sock_set_state") if beside else runs
            means = [runs[name].total_ns / count for name in _CONNECT]
            each = sum(runs[name].count for name in _CONNECT) / count
            bursts.append(_Burst(means, each, _mean(empty[_EMPTY])))
        return _row(what, bursts, CONNECT_NS)

    def _spent(self, words: Sequence[Argument], tracepoint: str) -> dict[str, Runs]:
        """Tell what each program ran meanwhile, and an empty one on a tracepoint."""
        before = self._ours.runs()
        with programs.empty_program(tracepoint) as fd:
            self._run(words)
            empty = programs.runs_of(fd)
        after = self._ours.runs()
        return {name: runs.since(before[name]) for name, runs in after.items()} | {_EMPTY: empty}


def _mean(runs: Runs) -> float:
    return runs.total_ns / runs.count


@dataclass(frozen=True, slots=True)
class _Burst:
    """Mean ns of each program an operation, how often they ran, what counting took a run."""

    means: Sequence[float]
    runs: float
    counting: float

    @property
    def together(self) -> float:
        return sum(self.means)

    @property
    def less_counting(self) -> float:
        return self.together - self.runs * self.counting


def _row(what: str, bursts: Sequence[_Burst], bound_ns: float) -> tuple[str, ...]:
    each = [statistics.median(column) for column in zip(*(b.means for b in bursts), strict=True)]
    net = statistics.median(burst.less_counting for burst in bursts)
    return (
        what,
        *(f"{value:.0f}" for value in each),
        f"{statistics.median(burst.together for burst in bursts) / 1000:.2f}",
        f"{statistics.median(burst.runs for burst in bursts):.1f}",
        f"{net / 1000:.2f}",
        f"{bound_ns / 1000:.1f}",
        verdict(net, bound_ns),
    )
