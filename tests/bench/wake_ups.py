# SPDX-License-Identifier: Apache-2.0
"""Wake-ups of the sensor while a build runs in its scope and no AI tool does.

A large program that it does not know yet is looked into, once: so all work is done
before, and what that took has a column of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.scope import Scope

from bench.sensor import Sensor
from bench.table import Table, verdict
from bench.wall_clock import work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.workshop import Argument, Workshop


def measure(shop: Workshop) -> Table:
    """Count context switches of the sensor around each workload."""
    rows = []
    with Scope() as scope, Sensor(scope.path) as sensor:
        for name, argv in work(shop, slices=shop.times(30, 6)).items():
            first, first_us = _woken(sensor, scope, argv)
            then, then_us = _woken(sensor, scope, argv)
            rows.append(
                (name, str(first), f"{first_us:.0f}", str(then), f"{then_us:.0f}", "0",
                 verdict(then, 0))
            )  # fmt: skip
    return Table(
        "Wake-ups of the sensor during work without an AI tool",
        ("work", "the first time", "CPU us", "from then on", "CPU us", "bound", ""),
        tuple(rows),
        ("Context switches. A large program that is new to the sensor is looked into once.",),
    )


def _woken(sensor: Sensor, scope: Scope, argv: Sequence[Argument]) -> tuple[int, float]:
    """Do some work; give how often the sensor was switched to, and the CPU that it used."""
    sensor.rest()
    before, cpu_s = sensor.switches(), sensor.cpu_s()
    assert scope.run(list(argv)).wait() == 0
    sensor.rest()
    return sensor.switches() - before, (sensor.cpu_s() - cpu_s) * 1e6
