# SPDX-License-Identifier: Apache-2.0
"""What is measured: counts of events, and readings of the daemon, under the names of Prometheus.

Labels are closed sets, or bounded ones: whoever can start programs cannot make
series without end.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sensor.core.event import Event

MOST_VALUES = 256
"""Of one label; a catalogue has some fifty tools. What comes after them is ``other``."""

OTHER = "other"
_NONE = "none"
_NS_PER_S = 1_000_000_000


Rows = tuple[tuple[str, float, str], ...]


class Family(NamedTuple):
    """One metric: samples are values by their labels, which all have the same names."""

    name: str
    help: str
    is_counter: bool
    labels: tuple[str, ...]
    samples: Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """How the daemon stands at this moment; counts are those since its start."""

    started_s: float
    sessions: int
    unstored: int
    store_bytes: int
    store_works: bool
    readers: int
    skipped: int
    undelivered: int


class Metrics:
    """Counts what goes out."""

    def __init__(self) -> None:
        self._events: Counter[tuple[str, ...]] = Counter()
        self._lost: Counter[tuple[str, ...]] = Counter()
        self._known: dict[str, set[str]] = {"tool": {OTHER, _NONE}, "what": {OTHER}}
        self._lag_ns = 0

    def count(self, events: Sequence[Event], *, now_ns: int) -> None:
        """Take events that go out at ``now_ns``, a time since boot; the first waited longest."""
        for event in events:
            verdict = event.verdict.value if event.verdict else _NONE
            tool = self._bounded("tool", event.tool or _NONE)
            self._events[event.kind.value, verdict, tool] += 1
            if event.loss:
                what, amount = event.loss
                self._lost[(self._bounded("what", what),)] += amount
        if events:
            self._lag_ns = max(0, now_ns - events[0].at_ns)

    def _bounded(self, label: str, value: str) -> str:
        known = self._known[label]
        if value in known:
            return value
        if len(known) >= MOST_VALUES:
            return OTHER
        known.add(value)
        return value

    def families(self, now: Readings) -> Iterator[Family]:
        """Give every metric."""
        yield Family(
            "agent_sensor_events",
            "Events told, by what they tell, what policy said and which tool it was.",
            is_counter=True,
            labels=("kind", "verdict", "tool"),
            samples=dict(self._events),
        )
        yield Family(
            "agent_sensor_lost",
            "Records that the kernel had no room for, or that could not be read.",
            is_counter=True,
            labels=("what",),
            samples=dict(self._lost),
        )
        counters: Rows = (
            ("unstored", now.unstored, "Events told that could not be stored."),
            ("skipped", now.skipped, "Events that slow readers were told they missed."),
            ("undelivered", now.undelivered, "Events that the journal or syslog did not take."),
        )
        gauges: Rows = (
            ("up", 1, "The daemon runs."),
            ("start_time_seconds", now.started_s, "When it was started, since 1970."),
            ("sessions", now.sessions, "Sessions that run now."),
            ("store_bytes", now.store_bytes, "Size of the store on disk."),
            ("store_works", int(now.store_works), "Whether events can be stored now."),
            ("readers", now.readers, "Readers that are connected."),
            (
                "ring_lag_seconds",
                self._lag_ns / _NS_PER_S,
                "Age of the oldest event of those told last.",
            ),
        )
        yield from (_single(*row, is_counter=True) for row in counters)
        yield from (_single(*row, is_counter=False) for row in gauges)


def _single(name: str, value: float, text: str, *, is_counter: bool) -> Family:
    return Family(f"agent_sensor_{name}", text, is_counter, (), {(): value})
