# SPDX-License-Identifier: Apache-2.0
"""Events through ring, engine and printer: a flood of connects, and none lost."""

from __future__ import annotations

import statistics
import subprocess
from typing import TYPE_CHECKING

from support.scope import Scope

from bench.sensor import Sensor
from bench.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.process import Memory
    from bench.workshop import Workshop

RATE = 100_000
RESIDENT_KIB = 32 * 1024
# Events of a flood beside its connects: the session's start and end, exec and exit.
AROUND = 4
_BURST = 20_000
_REMARK = (
    "A program called like an AI tool calls connect(2); the sensor writes to /dev/null. Told is by"
    " the CPU time of the sensor: what it could do with a core to itself."
)


def measure(shop: Workshop) -> Table:
    """Find the rate that the sensor keeps up with, then hold it to that rate."""
    turns = shop.times(5, 2)
    flood = _Floods(shop)
    bursts = [flood.run(_BURST, 0, "--json") for _ in range(turns)]
    human = [flood.run(_BURST, 0) for _ in range(turns)]
    capacity = statistics.median(each.rate for each in bursts)
    steady = [
        flood.run(shop.times(100_000, 20_000), int(share * capacity), "--json")
        for share in (0.5, 0.7, 0.85)
    ]
    return Table(
        "Events a second, ring to printed line, one core",
        ("what", "events", "lost", "offered/s", "told per CPU second", "bound", ""),
        (
            _row("burst of connects, --json", bursts),
            _row("burst of connects, lines", human),
            *(_row("steady connects, --json", [each]) for each in steady),
        ),
        (_REMARK,),
    )


class _Flood:
    """One flood: what was offered, what was told."""

    def __init__(self, *, events: int, lost: int, offered: float, cpu_s: float) -> None:
        self.events, self.lost, self.offered = events, lost, offered
        self.rate = events / cpu_s


class _Floods:
    """Floods of connects in a scope, each before a sensor of its own."""

    def __init__(self, shop: Workshop) -> None:
        self._driver = shop.driver("flood", "claude")

    def run(self, count: int, rate: int, *options: str) -> _Flood:
        with Scope() as scope, Sensor(scope.path, *options) as sensor:
            sensor.rest()
            before = sensor.cpu_s()
            took = flood(scope, self._driver, count, rate)
            sensor.rest()
            cpu_s = sensor.cpu_s() - before
        return _Flood(
            events=sensor.events, lost=sensor.lost + _missing(sensor, count),
            offered=count / took, cpu_s=cpu_s,
        )  # fmt: skip


def flood(scope: Scope, driver: object, count: int, rate: int) -> float:
    """Run the driver in a scope. Returns how many seconds it took."""
    argv = [str(driver), str(count), str(rate)]
    with scope.run(argv, stdout=subprocess.PIPE) as process:
        said, _ = process.communicate()
    assert process.returncode == 0
    return float(said)


def _missing(sensor: Sensor, count: int) -> int:
    """Events that were neither told nor counted as lost; there must be none."""
    return max(0, count + AROUND - sensor.events - sensor.lost)


def _row(what: str, floods: list[_Flood]) -> tuple[str, ...]:
    def median(read: Callable[[_Flood], float]) -> float:
        return statistics.median(map(read, floods))

    told = median(lambda each: each.rate)
    return (
        what,
        f"{median(lambda each: each.events):.0f}",
        f"{sum(each.lost for each in floods)}",
        f"{median(lambda each: each.offered):.0f}",
        f"{told:.0f}",
        f">= {RATE}",
        "holds" if told >= RATE else "MISSED",
    )


def memory(shop: Workshop) -> Table:
    """Read the sensor's resident memory at its start and after many events."""
    count = shop.times(100_000, 30_000)
    with Scope() as scope, Sensor(scope.path, "--json") as sensor:
        sensor.rest()
        start = sensor.memory()
        for _ in range(count // 5000):
            flood(scope, shop.driver("flood", "claude"), 5000, 10_000)
        sensor.rest()
        after = sensor.memory()
    return Table(
        "Resident memory of the sensor",
        ("when", "all MiB", "anonymous", "files", "bound", ""),
        (memory_row("watching", start), memory_row(f"after {sensor.events} events", after)),
        (f"{sensor.lost} records were lost on the way.",),
    )


def memory_row(when: str, memory: Memory) -> tuple[str, ...]:
    """Hold resident memory against its bound."""
    sizes = (f"{kib / 1024:.1f}" for kib in (memory.all, memory.anonymous, memory.file))
    holds = "holds" if memory.all <= RESIDENT_KIB else "MISSED"
    return (when, *sizes, f"{RESIDENT_KIB // 1024}", holds)
