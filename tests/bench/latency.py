# SPDX-License-Identifier: Apache-2.0
"""From exec in the kernel to the line at the reader of the pipe."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from bench.sensor import Sensor
from bench.table import Table, percentile, verdict
from support.scope import Scope

if TYPE_CHECKING:
    from bench.workshop import Workshop

P99_MS = 10.0
_PAUSE_US = 15_000


def measure(shop: Workshop) -> Table:
    """Execute a tool many times, some way apart, and read the sensor's pipe all the while."""
    count = shop.times(600, 200)
    arrived: list[tuple[int, bytes]] = []
    repeat, tool = shop.driver("repeat"), shop.driver("nothing", "claude")
    with Scope() as scope, Sensor(scope.path, "--json", stdout=subprocess.PIPE) as sensor:
        pipe = sensor.output.buffer.raw  # type: ignore[attr-defined]  # unbuffered: no delay here
        reader = threading.Thread(target=_read, args=(pipe, arrived))
        reader.start()
        assert scope.run([repeat, str(count), str(_PAUSE_US), tool]).wait() == 0
        sensor.rest()
    reader.join()
    late_ms = [
        (at_ns - event["at_ns"]) / 1e6 for at_ns, event in _lines(arrived) if event["kind"] == "exec"
    ]
    assert len(late_ms) == count, f"{len(late_ms)} of {count} told"
    p99 = percentile(late_ms, 0.99)
    figures = (percentile(late_ms, 0.5), percentile(late_ms, 0.9), p99, max(late_ms))
    return Table(
        "Exec to line",
        ("what", "p50 ms", "p90", "p99", "greatest", "p99 bound", ""),
        (
            ("exec of a tool to its JSON line", *(f"{value:.2f}" for value in figures),
             f"{P99_MS:.0f}", verdict(p99, P99_MS)),
        ),
        (f"{count} executions, {_PAUSE_US / 1000:.0f} ms apart.",),
    )  # fmt: skip


def _read(pipe: object, arrived: list[tuple[int, bytes]]) -> None:
    while chunk := pipe.read(1 << 20):  # type: ignore[attr-defined]
        arrived.append((time.clock_gettime_ns(time.CLOCK_BOOTTIME), chunk))


def _lines(arrived: list[tuple[int, bytes]]) -> list[tuple[int, dict[str, object]]]:
    """Give each line with the time at which its last byte came."""
    lines, rest = [], b""
    for at_ns, chunk in arrived:
        *whole, rest = (rest + chunk).split(b"\n")
        lines += [(at_ns, json.loads(line)) for line in whole]
    return lines
