# SPDX-License-Identifier: Apache-2.0
"""What the run before left in the store: when it spoke last, and which sessions went on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sensor.core.event import Kind
from sensor.core.filter import Filter
from sensor.core.subscription import PAGE, Past
from sensor.wire.frame import event_of
from sensor.wire.row import wall_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.event import Event

_SESSIONS = Filter(kinds=frozenset({Kind.SESSION_START.value, Kind.SESSION_END.value}))


@dataclass(frozen=True, slots=True)
class Before:
    """The run before: number and time of its last event that is kept, 0 and None for none.

    ``sessions`` are the beginnings of those of this boot that have not ended.
    """

    last_seq: int
    spoke_wall_ns: int | None
    sessions: tuple[Event, ...]


class Kept(Past, Protocol):
    """The store, as far as it is asked here."""

    def last_event(self) -> tuple[int, bytes] | None:
        """Return the newest event that is kept."""


def look_back(past: Kept, *, boot_id: str, booted_wall_ns: int) -> Before:
    """Read it. Of ``past`` only this boot's part is gone through."""
    last = past.last_event()
    if last is None:
        return Before(0, None, ())
    running: dict[str, Event] = {}
    for event in _events(past, past.first_at(booted_wall_ns) or past.last_seq):
        if event.boot_id != boot_id or event.session is None:
            continue
        if event.kind is Kind.SESSION_START:
            running[event.session] = event
        else:
            running.pop(event.session, None)
    seq, body = last
    return Before(seq, wall_ns(event_of(body).at), tuple(running.values()))


def _events(past: Past, first: int) -> Iterator[Event]:
    while page := past.read(first, past.last_seq, _SESSIONS, PAGE):
        yield from (event_of(body) for _, body in page)
        first = page[-1][0] + 1
