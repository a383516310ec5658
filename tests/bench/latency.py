# SPDX-License-Identifier: Apache-2.0
"""From exec in the kernel to the line at the reader of the pipe."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from support.scope import Scope

from bench.daemon import daemon
from bench.sensor import Sensor
from bench.table import Table, percentile, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.workshop import Workshop

P99_MS = 10.0
_PAUSE_US = 15_000
_COLUMNS = ("what", "p50 ms", "p90", "p99", "greatest", "p99 bound", "")
_REMARK = (
    "A line takes two wake-ups: of the sensor and of its reader. The bare wake-up is of a thread by"
    " a byte in a pipe: what other load on this machine adds to each."
)

_TAIL_REMARK = (
    "A line takes three wake-ups: of the daemon, of the tail and of who reads the tail's pipe."
)


def measure(shop: Workshop) -> Table:
    """Execute a tool many times, some way apart, and read the sensor's pipe all the while."""
    count = shop.times(600, 200)
    plain, bare = _run(shop, count, niceness=0)
    urgent, _ = _run(shop, count, niceness=-20)
    return Table(
        "Exec to line",
        _COLUMNS,
        (
            _row("exec of a tool to its JSON line", plain, P99_MS),
            _row("the same, sensor at nice -20", urgent, P99_MS),
            _row("one bare wake-up at the same time", bare),
        ),
        (f"{count} executions, {_PAUSE_US / 1000:.0f} ms apart. {_REMARK}",),
    )


def tail(shop: Workshop) -> Table:
    """Do the same with the daemon: by its ring and hub to the pipe of a tail."""
    count = shop.times(600, 200)
    with Scope() as scope, daemon(scope) as sensor:
        sensor.start()
        with sensor.tail(stdout=subprocess.PIPE) as reader:
            lines = _Lines(reader.output)
            bare = _repeat(shop, scope, count)
            reader.rest()
        late_ms = lines.late_ms(count)
    return Table(
        "Exec to the line of a tail",
        _COLUMNS,
        (
            _row("exec of a tool to the JSON line of tail", late_ms, P99_MS),
            _row("one bare wake-up at the same time", bare),
        ),
        (f"{count} executions, {_PAUSE_US / 1000:.0f} ms apart. {_TAIL_REMARK}",),
    )


def _run(shop: Workshop, count: int, *, niceness: int) -> tuple[list[float], list[float]]:
    """Give the latency in ms of each exec, and of bare wake-ups meanwhile."""
    with Scope() as scope, Sensor(scope.path, "--json", stdout=subprocess.PIPE) as sensor:
        os.setpriority(os.PRIO_PROCESS, sensor.pid, niceness)
        lines = _Lines(sensor.output)
        bare = _repeat(shop, scope, count)
        sensor.rest()
    return lines.late_ms(count), bare


def _repeat(shop: Workshop, scope: Scope, count: int) -> list[float]:
    """Execute the tool; gives the latency in ms of bare wake-ups meanwhile."""
    repeat, tool = shop.driver("repeat"), shop.driver("nothing", "claude")
    with _bare() as bare:
        assert scope.run([repeat, str(count), str(_PAUSE_US), tool]).wait() == 0
    return bare


class _Lines:
    """Reads a pipe in a thread and keeps when each piece came."""

    def __init__(self, pipe: IO[str]) -> None:
        self._fd = pipe.fileno()
        self._pieces: list[tuple[int, bytes]] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while piece := os.read(self._fd, 1 << 20):
            self._pieces.append((time.clock_gettime_ns(time.CLOCK_BOOTTIME), piece))

    def late_ms(self, count: int) -> list[float]:
        """Give the latency in ms of the line of each exec, once the pipe is closed."""
        late = [(at_ns - e["at_ns"]) / 1e6 for at_ns, e in self._all() if e["kind"] == "exec"]
        assert len(late) == count, f"{len(late)} of {count} told"
        return late

    def _all(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give each line with the time at which its last byte came."""
        self._thread.join()
        rest = b""
        for at_ns, piece in self._pieces:
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                yield at_ns, json.loads(line)


@contextmanager
def _bare() -> Iterator[list[float]]:
    """Time wake-ups of a thread by a pipe in ms, for the length of the ``with``."""
    late_ms: list[float] = []
    ends = os.pipe()
    over = threading.Event()

    def wake() -> None:
        while not over.wait(_PAUSE_US / 1e6):
            os.write(ends[1], time.monotonic_ns().to_bytes(8, "little"))
        os.close(ends[1])

    def woken() -> None:
        while sent := os.read(ends[0], 8):
            late_ms.append((time.monotonic_ns() - int.from_bytes(sent, "little")) / 1e6)
        os.close(ends[0])

    threads = [threading.Thread(target=each) for each in (wake, woken)]
    for thread in threads:
        thread.start()
    try:
        yield late_ms
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _row(what: str, late_ms: list[float], bound: float | None = None) -> tuple[str, ...]:
    p99 = percentile(late_ms, 0.99)
    figures = (percentile(late_ms, 0.5), percentile(late_ms, 0.9), p99, max(late_ms))
    held = ("", "") if bound is None else (f"{bound:.0f}", verdict(p99, bound))
    return (what, *(f"{value:.2f}" for value in figures), *held)
