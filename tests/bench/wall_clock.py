# SPDX-License-Identifier: Apache-2.0
"""Wall clock of exec-heavy work with a sensor and without, in alternating pairs."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from bench.sensor import Sensor
from bench.table import Table, verdict
from bench.workshop import timed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.workshop import Argument, Took, Workshop

BUILD_RATIO = 1.005
_BUILD = Path(__file__).parent / "drivers" / "build.sh"
_REMARK = (
    "The sensor watches the whole host. CPU is user and system time of the work and its children,"
    " less shaken by what else runs here."
)
_WORK = (
    "spawn: posix_spawn and wait of /bin/true; sspawn: of a static binary on tmpfs; conn: TCP"
    " connects to a loopback listener; build: coreutils and gcc -c of small files."
)
# Native figures of others on the same kind of machine, measured the same way, 2026-11-23.
_PEERS = {
    "spawn": "1.09-1.19 / 1.16",
    "sspawn": "1.10-1.20 / 1.25",
    "conn": "- / 1.52",
    "build": "- / 1.11",
}


def work(shop: Workshop) -> dict[str, Sequence[Argument]]:
    """Give the command line of each workload; about a second each in full."""
    count = shop.times(1, 3)
    repeat, nothing = shop.driver("repeat"), shop.driver("nothing")
    return {
        "spawn": [repeat, str(900 // count), "0", "/bin/true"],
        "sspawn": [repeat, str(2400 // count), "0", nothing],
        "conn": [shop.driver("dial"), str(30000 // count)],
        "build": ["/bin/sh", _BUILD, shop.folder / "build", str(24 // count)],
    }


def measure(shop: Workshop) -> Table:
    """Run all workloads with the sensor on and off in turn, the first one changing each time."""
    works = work(shop)
    pairs: dict[str, list[tuple[Took, Took]]] = {name: [] for name in works}
    _run(works)  # warms the caches
    for turn in range(shop.times(15, 2)):
        order = (True, False) if turn % 2 else (False, True)
        took = {on: _with_sensor(works, on=on) for on in order}
        for name in works:
            pairs[name].append((took[False][name], took[True][name]))
    return Table(
        "Exec-heavy work, sensor on / off",
        ("work", "wall", "least", "greatest", "CPU", "off s", "bpftrace / auditd", ""),
        tuple(_row(name, pairs[name]) for name in works),
        (f"Medians of {len(pairs['build'])} pairs. {_REMARK}", _WORK),
    )


def _with_sensor(works: Mapping[str, Sequence[Argument]], *, on: bool) -> dict[str, Took]:
    if not on:
        return _run(works)
    with Sensor():
        return _run(works)


def _run(works: Mapping[str, Sequence[Argument]]) -> dict[str, Took]:
    return {name: timed(argv) for name, argv in works.items()}


def _row(name: str, pairs: Sequence[tuple[Took, Took]]) -> tuple[str, ...]:
    walls = [on.wall_s / off.wall_s for off, on in pairs]
    ratio = statistics.median(walls)
    cpu = statistics.median(on.cpu_s / off.cpu_s for off, on in pairs)
    off_s = statistics.median(off.wall_s for off, _ in pairs)
    return (
        name,
        f"{ratio:.4f}",
        f"{min(walls):.3f}",
        f"{max(walls):.3f}",
        f"{cpu:.4f}",
        f"{off_s:.2f}",
        _PEERS[name],
        f"{verdict(ratio, BUILD_RATIO)} (<= {BUILD_RATIO})" if name == "build" else "",
    )
