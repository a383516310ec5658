# SPDX-License-Identifier: Apache-2.0
"""Wake-ups of the sensor while a build runs in its scope and no AI tool does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.scope import Scope

from bench.sensor import Sensor
from bench.table import Table, verdict
from bench.wall_clock import work

if TYPE_CHECKING:
    from bench.workshop import Workshop


def measure(shop: Workshop) -> Table:
    """Count context switches of the sensor around each workload."""
    rows = []
    with Scope() as scope, Sensor(scope.path) as sensor:
        for name, argv in work(shop, slices=shop.times(30, 6)).items():
            sensor.rest()
            before, cpu_s = sensor.switches(), sensor.cpu_s()
            assert scope.run(list(argv)).wait() == 0
            switches = sensor.switches() - before
            used_us = (sensor.cpu_s() - cpu_s) * 1e6
            rows.append((name, str(switches), f"{used_us:.0f}", "0", verdict(switches, 0)))
    return Table(
        "Wake-ups of the sensor during work without an AI tool",
        ("work", "context switches", "CPU us", "bound", ""),
        tuple(rows),
    )
