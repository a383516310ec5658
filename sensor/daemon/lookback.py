# SPDX-License-Identifier: Apache-2.0
"""What the run before left in the store: when it spoke last, and which sessions went on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sensor.core.facts import Gap
from sensor.core.subscription import Past
from sensor.core.words import SENSOR
from sensor.wire.frame import event_of
from sensor.wire.row import wall_ns

if TYPE_CHECKING:
    from sensor.core.event import Event


_STOPPED = "the sensor was not running"
_KILLED = "the sensor was not running for some of this time"


@dataclass(frozen=True, slots=True)
class Before:
    """The run before: number and time of its last event that is kept, 0 and None for none.

    ``was_stopped`` says that this event tells of its end: without, it can have run for long after.
    ``sessions`` are the beginnings of those of this boot that have not ended.
    """

    last_seq: int
    spoke_wall_ns: int | None
    was_stopped: bool
    sessions: tuple[Event, ...]

    def gap(
        self, at_ns: int, next_seq: int, *, booted_wall_ns: int, was_loaded: bool
    ) -> Gap | None:
        """Declare the time since; None where nobody was there before.

        ``was_loaded``: its probes were attached still.
        """
        # More than what this start declares in the store: a gap that was told may be lost too.
        lost = range(self.last_seq + 1, next_seq)
        if self.spoke_wall_ns is None and not lost:
            return None
        down = _STOPPED if self.was_stopped and not lost else _KILLED
        recorded = "; probes left attached have" if was_loaded else ", and nothing"
        return Gap(
            at_ns=at_ns,
            # Nothing that was told is kept: it can be as old as this boot.
            from_wall_ns=self.spoke_wall_ns or booted_wall_ns,
            why=f"{down}{recorded} recorded meanwhile",
            seqs=(lost[0], lost[-1]) if lost else None,
        )


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
        return Before(0, None, was_stopped=False, sessions=())
    left = past.running(past.first_at(booted_wall_ns) or past.last_seq)
    sessions = [event for _, body in left if (event := event_of(body)).boot_id == boot_id]
    seq, body = last
    event = event_of(body)
    was_stopped = event.health is not None and event.health.what == SENSOR
    return Before(seq, wall_ns(event.at), was_stopped=was_stopped, sessions=tuple(sessions))
