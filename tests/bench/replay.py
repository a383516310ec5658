# SPDX-License-Identifier: Apache-2.0
"""The user half alone: recorded bytes through reader, engine and form, again and again."""

from __future__ import annotations

import json
import statistics
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from support.scope import Scope

from bench.events import RATE
from bench.table import Table
from sensor.core.actions import Record
from sensor.core.engine import Engine
from sensor.core.form import as_dict
from sensor.daemon.catalogues import catalogue
from sensor.daemon.instance import Instance, Pins
from sensor.daemon.probing import Probing, run_loader
from sensor.edge.host import LocalHost
from sensor.edge.libbpf_ring import Ring
from sensor.edge.mounts import BPFFS, cgroup2
from sensor.wire.probe import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.workshop import Argument, Workshop
    from sensor.core.event import Event

_RUN_DIR = Path("/bench")
_REMARK = (
    "of a tool that starts programs, asks a name server and connects, replayed. By kind: median"
    " microseconds a record, in each stage (of all events that it became; forks become none)."
)
_NS = 1e9


def measure(shop: Workshop) -> Table:
    """Record what a busy tool does, then replay it: in one go, and stage by stage."""
    records = _recorded(shop, turns=100)
    times = shop.times(40, 10)
    stages = _Stages(records)
    for _ in range(times):
        stages.replay()
    rows = [
        _total("reader and engine", *_timed(records, times, form=False)),
        _total("reader, engine, as_dict and json.dumps", *_timed(records, times, form=True)),
    ]
    return Table(
        "The user half alone, recorded bytes in memory",
        ("what", "us", "read", "engine", "as_dict", "json", "events/s, one core", ""),
        (*rows, *stages.rows()),
        (f"{len(records)} records {_REMARK}",),
    )


def _recorded(shop: Workshop, *, turns: int) -> list[bytes]:
    """Run a busy tool before loaded probes, and keep what comes out of the ring."""
    records: list[bytes] = []
    with Scope() as scope:
        pins = run_loader(bpffs=BPFFS, run_dir=_RUN_DIR, scope=scope.path).pins
        try:
            opened = Pins(pins)
            Probing(opened, lambda _: None).teach(catalogue())
            argv: list[Argument] = [
                shop.driver("busy", "claude"),
                str(turns),
                shop.driver("nothing"),
            ]
            assert scope.run(argv).wait() == 0
            ring = Ring(opened.map("records"), records.append)
            ring.consume()
            ring.close()
        finally:
            Instance(bpffs=BPFFS, run_dir=_RUN_DIR, scope=scope.path).remove()
    return records


def _engine() -> Engine:
    return Engine(catalogue(), LocalHost(cgroup2()))


def _timed(records: Sequence[bytes], times: int, *, form: bool) -> tuple[int, float]:
    """Replay without looking at a clock meanwhile. Returns events and seconds."""
    engine = _engine()
    events = 0
    started = time.process_time()
    for _ in range(times):
        for record in records:
            for action in engine.see(read(record)):
                if isinstance(action, Record):
                    events += 1
                    if form:
                        json.dumps(as_dict(action.event), ensure_ascii=False)
    return events, time.process_time() - started


class _Stages:
    """The time of each stage, by kind of fact; two clock reads are in each."""

    def __init__(self, records: Sequence[bytes]) -> None:
        self._records = records
        self._engine = _engine()
        self._laps: dict[str, list[list[int]]] = defaultdict(list)

    def replay(self) -> None:
        clock = time.perf_counter_ns
        for record in self._records:
            laps = [clock()]
            fact = read(record)
            laps.append(clock())
            events = [a.event for a in self._engine.see(fact) if isinstance(a, Record)]
            laps.append(clock())
            forms = [as_dict(event) for event in events]
            laps.append(clock())
            for form in forms:
                json.dumps(form, ensure_ascii=False)
            laps.append(clock())
            self._add(type(fact).__name__, events, laps)

    def _add(self, kind: str, events: Sequence[Event], laps: Sequence[int]) -> None:
        # The tool's own exec and exit, and what a session's start costs, stand out: a kind apart.
        name = f"{kind}, {len(events)} events" if len(events) > 1 else kind
        self._laps[name].append([after - before for before, after in pairwise(laps)])

    def rows(self) -> list[tuple[str, ...]]:
        return [self._row(name) for name in sorted(self._laps)]

    def _row(self, name: str) -> tuple[str, ...]:
        stages = zip(*self._laps[name], strict=True)
        each = [statistics.median(stage) / 1000 for stage in stages]
        return (f"- {name}", f"{sum(each):.1f}", *(f"{us:.1f}" for us in each), "", "")


def _total(what: str, events: int, seconds: float) -> tuple[str, ...]:
    rate = events / seconds
    holds = f"{'holds' if rate >= RATE else 'MISSED'} (>= {RATE})"
    return (what, f"{seconds / events * 1e6:.1f}", "", "", "", "", f"{rate:.0f}", holds)
