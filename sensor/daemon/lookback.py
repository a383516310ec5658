# SPDX-License-Identifier: Apache-2.0
"""What the run before left in the store: when it spoke last, and which sessions went on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sensor.core.subscription import Past
from sensor.wire.frame import event_of
from sensor.wire.row import wall_ns

if TYPE_CHECKING:
    from sensor.core.event import Event


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

    def running(self, first: int) -> list[tuple[int, bytes]]:
        """Return the beginnings from a seq on of sessions that have not ended since."""


def look_back(past: Kept, *, boot_id: str, booted_wall_ns: int) -> Before:
    """Read it. Of ``past`` only this boot's part is gone through."""
    last = past.last_event()
    if last is None:
        return Before(0, None, ())
    left = past.running(past.first_at(booted_wall_ns) or past.last_seq)
    sessions = [event for _, body in left if (event := event_of(body)).boot_id == boot_id]
    seq, body = last
    return Before(seq, wall_ns(event_of(body).at), tuple(sessions))
