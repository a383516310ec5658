# SPDX-License-Identifier: Apache-2.0
"""Events through ring, engine, store and one tail: how many a second, in how much memory."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from support.scope import Scope

from bench.daemon import daemon
from bench.events import AROUND, RATE, flood, memory_row
from bench.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.daemon import Daemon, Tail, Told
    from bench.workshop import Argument, Workshop

_RATES = (4_000, 6_000, 8_000, 10_000, 12_500, 15_000, 18_000, 22_000, 27_000, 33_000, 40_000)
_HELD_S = 5
"""Longer than a rate that is too high takes to fill the queues on the way."""

_RATE_REMARK = (
    "A program called like an AI tool calls connect(2) at the given rate; the daemon stores on a"
    " disk, and one tail writes JSON to /dev/null. Missed is what was lost at the ring, skipped for"
    " the tail or left out of the store; rates rise until something is. Told is by the CPU time of"
    " the daemon, its store's thread included: what it could do with a core to itself."
)
_MEMORY_REMARK = (
    "A tail reads all the while. The most that it was in between is {:.1f} MiB; {} events were"
    " missed. Of the files, 4 MiB are the ring's 2, which are mapped twice."
)
_SIZE_REMARK = "The file after a clean end, by all events in it: bodies, rows, indexes and seals."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flood:
    """One flood: what was told, how long it was offered, and the CPU time it cost."""

    told: Told
    worked_s: float
    daemon_s: float
    resident_kib: int
    tail_s: float


def measure(shop: Workshop) -> Table:
    """Offer more and more until something is missed."""
    driver = shop.driver("flood", "claude")
    floods: list[_Flood] = []
    with Scope() as scope, daemon(scope) as sensor:
        sensor.start()
        with sensor.tail() as tail:
            for rate in _RATES:
                count = rate * shop.times(_HELD_S, 2)
                floods.append(_run(sensor, tail, partial(flood, scope, driver, count, rate), count))
                if floods[-1].told.missed:
                    break
    return Table(
        "Events a second, ring to store and one tail",
        (
            *("offered/s", "events", "missed", "daemon's CPU", "MiB", "tail's CPU"),
            *("told per CPU second", "bound", ""),
        ),
        tuple(map(_row, floods)),
        (_RATE_REMARK,),
    )


def _run(sensor: Daemon, tail: Tail, work: Callable[[], float], count: int) -> _Flood:
    """Let the work be done, and wait until all of it is stored and told."""
    before, daemon_s, tail_s = sensor.told(), sensor.cpu_s(), tail.cpu_s()
    worked_s = work()
    sensor.rest()
    tail.rest()
    resident_kib = sensor.memory().all
    daemon_s, tail_s = sensor.cpu_s() - daemon_s, tail.cpu_s() - tail_s
    told = sensor.told().since(before)
    assert told.events + told.lost >= count + AROUND, f"{told} of {count}"
    return _Flood(
        told=told, worked_s=worked_s, daemon_s=daemon_s, tail_s=tail_s, resident_kib=resident_kib
    )


def _row(one: _Flood) -> tuple[str, ...]:
    rate = one.told.events / one.daemon_s
    return (
        f"{one.told.events / one.worked_s:.0f}",
        f"{one.told.events}",
        f"{one.told.missed}",
        f"{one.daemon_s / one.worked_s:.0%}",
        f"{one.resident_kib / 1024:.1f}",
        f"{one.tail_s / one.worked_s:.0%}",
        f"{rate:.0f}",
        f">= {RATE}",
        "holds" if rate >= RATE and not one.told.missed else "MISSED",
    )


def memory(shop: Workshop) -> Table:
    """Read the daemon's resident memory at its start, during many events and after them."""
    floods = shop.times(20, 6)
    driver = shop.driver("flood", "claude")
    with Scope() as scope, daemon(scope) as sensor:
        sensor.start()
        sensor.rest()
        start = sensor.memory()
        with sensor.tail() as tail:
            for _ in range(floods):
                flood(scope, driver, 5000, 5000)
            sensor.rest()
            tail.rest()
            told = sensor.told()
            after = sensor.memory()
    return Table(
        "Resident memory of the daemon",
        ("when", "all MiB", "anonymous", "files", "bound", ""),
        (
            memory_row("watching", start),
            memory_row(f"after {told.events} events", after),
        ),
        (_MEMORY_REMARK.format(after.peak / 1024, told.missed),),
    )


def sizes(shop: Workshop) -> Table:
    """Store events of different kinds, and measure the file."""
    repeat, tool = shop.driver("repeat"), shop.driver("nothing", "claude")
    connects: list[Argument] = [
        shop.driver("flood", "claude"),
        str(shop.times(50_000, 20_000)),
        "4000",
    ]
    sessions: list[Argument] = [repeat, str(shop.times(3000, 1000)), "1000", tool]
    return Table(
        "Bytes of the store for each event",
        ("what", "events", "file KiB", "bytes an event"),
        (_size("connects of one session", connects), _size("sessions of one exec", sessions)),
        (_SIZE_REMARK,),
    )


def _size(what: str, argv: Sequence[Argument]) -> tuple[str, ...]:
    with Scope() as scope, daemon(scope) as sensor:
        sensor.start()
        assert scope.run(argv, stdout=subprocess.DEVNULL).wait() == 0
        sensor.rest()
        told = sensor.told()
        sensor.stop()
        size = sensor.stored_bytes()
    return (what, f"{told.events}", f"{size / 1024:.0f}", f"{size / told.events:.0f}")
