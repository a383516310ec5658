# SPDX-License-Identifier: Apache-2.0
"""Wall clock of exec-heavy work with the probes attached and not, in many short pairs."""

from __future__ import annotations

import os
import statistics
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.programs import Programs
from bench.programs import statistics as statistics_of_runs
from bench.sensor import Sensor
from bench.table import Table, percentile, sure
from bench.workshop import timed
from sensor.edge import libbpf, mounts
from sensor.wire.programs import PROGRAMS, Hook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.workshop import Argument, Took, Workshop

BUILD_RATIO = 1.005
# Other load on the machine shakes less what goes before it.
_NICENESS = -20
_SETTLES_S = 0.05
_BUILD = Path(__file__).parent / "drivers" / "build.sh"
_REMARK = (
    "The programs are attached to the whole host and taken off again, for a slice of work of some"
    " 30 ms each time, at nice -20; the sensor itself sleeps (see wake-ups). Undisturbed is the"
    " ratio of the lower deciles, of slices that other load left alone; CPU is that of user and"
    " system time. Counted is 1 and the share of the wall clock that the kernel's run-time"
    " statistics find in the programs, in slices of their own, with what it takes to count: what"
    " the programs do to the caches of others is not in it."
)
_WORK = (
    "spawn: posix_spawn and wait of /bin/true; sspawn: of a static binary on tmpfs; conn: TCP"
    " connects to a loopback listener; build: coreutils and gcc -c of small files."
)
# Native figures of others on the same kind of machine, medians of pairs, 2026-11-23.
_PEERS = {
    "spawn": "1.09-1.19 / 1.16",
    "sspawn": "1.10-1.20 / 1.25",
    "conn": "- / 1.52",
    "build": "- / 1.11",
}


def work(shop: Workshop, *, slices: int) -> dict[str, Sequence[Argument]]:
    """Give the command line of each workload, as long as so many slices."""
    repeat, nothing = shop.driver("repeat"), shop.driver("nothing")
    return {
        "spawn": [repeat, str(25 * slices), "0", "/bin/true"],
        "sspawn": [repeat, str(60 * slices), "0", nothing],
        "conn": [shop.driver("dial"), str(800 * slices)],
        "build": ["/bin/sh", _BUILD, shop.folder / "build", str(slices)],
    }


def measure(shop: Workshop) -> Table:
    """Run slices of all work with the probes off and on in turn."""
    with Sensor() as sensor:
        probes = Programs(sensor.pid)
    # The sensor has ended, and with it what it attached; the programs are still loaded.
    slices = _Slices(shop, probes)
    os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    count = shop.times(400, 60)
    rows = []
    for name, argv in work(shop, slices=1).items():
        # The one with a bound is measured until the noise of a machine leaves something to say.
        pairs = slices.pairs(argv, count * 4 if name == "build" else count)
        rows.append(_row(name, pairs, slices.counted(argv, count // 4)))
    os.setpriority(os.PRIO_PROCESS, 0, 0)
    probes.close()
    return Table(
        "Exec-heavy work, sensor on / off",
        (
            "work",
            "wall",
            "95 % sure",
            "undisturbed",
            "CPU",
            "counted",
            "off ms",
            "bpftrace / auditd",
            "",
        ),
        tuple(rows),
        (f"Medians of {count} pairs, of build four times as many. {_REMARK}", _WORK),
    )


class _Slices:
    """Short pieces of work, some time before each of which the probes are attached or taken off."""

    def __init__(self, shop: Workshop, probes: Programs) -> None:
        self._probes = probes
        # What goes before a slice, not counted: it finds the caches as work leaves them.
        self._before: list[Argument] = [shop.driver("repeat"), "50", "0", shop.driver("nothing")]

    def pairs(self, argv: Sequence[Argument], count: int) -> list[tuple[Took, Took]]:
        """Give so many slices, each without the probes and with them, in turn."""
        pairs = []
        for _ in range(count):
            off = self._slice(argv)
            with _attached(self._probes):
                pairs.append((off, self._slice(argv)))
        return pairs

    def counted(self, argv: Sequence[Argument], count: int) -> float:
        """Give 1 and the programs' share of so many slices, as the kernel's statistics have it."""
        ran_ns, wall_s = 0, 0.0
        with statistics_of_runs(), _attached(self._probes):
            for _ in range(count):
                before = self._probes.total_ns()
                wall_s += timed(argv).wall_s
                ran_ns += self._probes.total_ns() - before
        return 1 + ran_ns / 1e9 / wall_s

    def _slice(self, argv: Sequence[Argument]) -> Took:
        # To attach and to detach patches kernel text and frees what was there, for a while: a
        # slice that came at once behind one more of both took 1 % longer, with nothing attached.
        time.sleep(_SETTLES_S)
        timed(self._before)
        return timed(argv)


@contextmanager
def _attached(probes: Programs) -> Iterator[None]:
    """Attach the programs as the loader does, for the length of the ``with``."""
    links = [os.open(mounts.cgroup2(), os.O_RDONLY | os.O_DIRECTORY)]
    try:
        for program in PROGRAMS:
            if program.on_demand:
                continue
            fd = probes.fd(program.name)
            if program.hook is Hook.RAW_TRACEPOINT:
                links.append(libbpf.attach_raw_tracepoint(fd, program.function))
            else:
                links.append(libbpf.attach_cgroup(fd, links[0], program.hook.attach_type or 0))
        yield
    finally:
        for link in links:
            os.close(link)


def _row(name: str, pairs: Sequence[tuple[Took, Took]], counted: float) -> tuple[str, ...]:
    walls = [on.wall_s / off.wall_s for off, on in pairs]
    ratio = statistics.median(walls)
    low, high = sure(walls)
    off, on = zip(*pairs, strict=True)
    calm = percentile([t.wall_s for t in on], 0.1) / percentile([t.wall_s for t in off], 0.1)
    return (
        name,
        f"{ratio:.4f}",
        f"{low:.3f}-{high:.3f}",
        f"{calm:.4f}",
        f"{statistics.median(on.cpu_s / off.cpu_s for off, on in pairs):.4f}",
        f"{counted:.4f}",
        f"{statistics.median(t.wall_s for t in off) * 1000:.0f}",
        _PEERS[name],
        f"{_verdict(low, high)} (<= {BUILD_RATIO})" if name == "build" else "",
    )


def _verdict(low: float, high: float) -> str:
    """Say whether the bound holds, as far as the interval of the median allows."""
    if high <= BUILD_RATIO:
        return "holds"
    return "MISSED" if low > BUILD_RATIO else "undecided"
