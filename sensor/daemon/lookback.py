# SPDX-License-Identifier: Apache-2.0
"""What the run before left in the store: when it spoke last, and which sessions went on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.event import Kind
from sensor.core.filter import EVERYTHING, Filter
from sensor.core.subscription import PAGE
from sensor.wire.frame import event_of
from sensor.wire.row import wall_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.event import Event
    from sensor.core.subscription import Past

_SESSIONS = Filter(kinds=frozenset({Kind.SESSION_START.value, Kind.SESSION_END.value}))


@dataclass(frozen=True, slots=True)
class Before:
    """The run before: ``spoke_wall_ns`` is the time of its last event, None where there is none.

    ``sessions`` are the beginnings of those of this boot that have not ended.
    """

    spoke_wall_ns: int | None
    sessions: tuple[Event, ...]


def look_back(past: Past, *, boot_id: str, booted_wall_ns: int) -> Before:
    """Read it. Of ``past`` only this boot's part is gone through."""
    last = past.read(max(past.last_seq - PAGE, 0), past.last_seq, EVERYTHING, PAGE + 1)
    if not last:
        return Before(None, ())
    running: dict[str, Event] = {}
    for event in _events(past, past.first_at(booted_wall_ns) or past.last_seq):
        if event.boot_id != boot_id or event.session is None:
            continue
        if event.kind is Kind.SESSION_START:
            running[event.session] = event
        else:
            running.pop(event.session, None)
    spoke = event_of(last[-1][1])
    return Before(wall_ns(spoke.at), tuple(running.values()))


def _events(past: Past, first: int) -> Iterator[Event]:
    while page := past.read(first, past.last_seq, _SESSIONS, PAGE):
        yield from (event_of(body) for _, body in page)
        first = page[-1][0] + 1
