# SPDX-License-Identifier: Apache-2.0
"""How long the sensor takes until it watches, cold and warm, and where the time goes."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from support.scope import Scope

from bench.daemon import daemon
from bench.sensor import AGENT_SENSOR, Sensor
from bench.table import Table, spread, verdict
from bench.workshop import timed

if TYPE_CHECKING:
    from bench.workshop import Argument, Workshop

COLD_S = 2.0
WARM_S = 0.3
_STAGES = Path(__file__).parent / "stages.py"


def measure(shop: Workshop) -> Table:
    """Start everything several times; the pins lie in the bench's own bpffs."""
    turns = shop.times(9, 3)
    with Scope() as scope:
        rows = [
            _row("watch, cold, until it watches", [_watch(scope) for _ in range(turns)], COLD_S),
            *_loads(scope, turns),
            _row("agent-sensor --version", [_version() for _ in range(turns)]),
        ]
    return Table(
        "Start",
        ("what", "median s", "least", "greatest", "bound", ""),
        (*rows, *_stages(turns)),
        ("Indented: the stages of a cold start, timed in a process that does nothing else.",),
    )


def daemons(shop: Workshop) -> Table:
    """Start the daemon with nothing there, and again over the pins that it left."""
    cold, warm = [], []
    with Scope() as scope:
        for _ in range(shop.times(7, 3)):
            with daemon(scope) as sensor:
                cold.append(sensor.start("--keep"))
                sensor.stop()
                warm.append(sensor.start())
                sensor.stop()
    return Table(
        "Start of the daemon",
        ("what", "median s", "least", "greatest", "bound", ""),
        (
            _row("run, cold, until it watches", cold, COLD_S),
            _row("run, warm: pins and store of the run before", warm, WARM_S),
        ),
    )


def _watch(scope: Scope) -> float:
    with Sensor(scope.path) as sensor:
        return sensor.ready_s


def _loads(scope: Scope, turns: int) -> list[tuple[str, ...]]:
    scoped = f"--scope={scope.path}"
    load: list[Argument] = [AGENT_SENSOR, "load", scoped]
    cold, warm = [], []
    for _ in range(turns):
        cold.append(timed(load).wall_s)
        warm.append(timed(load).wall_s)
        timed([AGENT_SENSOR, "unload", scoped])
    return [
        _row("load, cold", cold, COLD_S),
        _row("load, warm: pins are used again", warm, WARM_S),
    ]


def _version() -> float:
    return timed([AGENT_SENSOR, "--version"]).wall_s


def _stages(turns: int) -> list[tuple[str, ...]]:
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(turns):
        done = subprocess.run([sys.executable, "-I", _STAGES], check=True, capture_output=True)
        for name, seconds in json.loads(done.stdout).items():
            times[name].append(seconds)
    return [
        (f"- {name}", *spread(values, ".3f"), "", "")
        for name, values in times.items()
        if statistics.median(values) >= 0.001
    ]


def _row(what: str, values: list[float], bound: float | None = None) -> tuple[str, ...]:
    if bound is None:
        return (what, *spread(values, ".3f"), "", "")
    median = statistics.median(values)
    return (what, *spread(values, ".3f"), str(bound), verdict(median, bound))
