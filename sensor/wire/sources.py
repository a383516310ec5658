# SPDX-License-Identifier: Apache-2.0
"""What the hub's conversations draw from: recent events, the past, the daemon, the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sensor.core.subscription import UNLIMITED, Window
from sensor.wire.requests import Point, Scale

if TYPE_CHECKING:
    from sensor.core.recent import Recent
    from sensor.core.subscription import Past
    from sensor.wire.requests import Control, Subscribe


class Daemon(Protocol):
    """Whoever knows how the daemon is, and carries out what changes something."""

    controls: frozenset[str]
    """The words of requests that ``control`` takes."""

    def status(self) -> dict[str, object]:
        """Return what there is to say, in plain values."""

    def control(self, request: Control) -> dict[str, object]:
        """Carry a request out; raises SensorError where that fails."""


class Clock(Protocol):
    """What time it is."""

    def now_ns(self) -> int:
        """Return CLOCK_BOOTTIME."""

    def wall_offset_ns(self) -> int:
        """Return the wall clock minus CLOCK_BOOTTIME."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What all conversations draw from."""

    recent: Recent
    past: Past
    daemon: Daemon
    clock: Clock

    def window(self) -> Window:
        """Return what is in memory."""
        return Window(self.recent.first, self.recent.middle, self.recent.last)

    def oldest(self) -> int:
        """Return the oldest seq there is, or is about to be: the store may still be empty."""
        stored = self.past.first_at(0)
        return min(self.past.last_seq + 1 if stored is None else stored, self.recent.first)

    def first(self, since: Point | None) -> int:
        """Return the first seq from a point on; None is now."""
        if since is None:
            return self.recent.last + 1
        if since.scale is Scale.SEQ:
            return since.value
        return self._first_since(self._wall_ns(since))

    def last(self, request: Subscribe) -> int:
        """Return the last seq that is asked for, as far as it can be said now."""
        newest = UNLIMITED if request.follow else self.recent.last
        until = request.until
        if until is None:
            return newest
        if until.scale is Scale.SEQ:
            return min(until.value, newest)
        if self._at_ns(until) >= self.clock.now_ns():
            return newest
        return min(self._first_since(self._wall_ns(until) + 1) - 1, newest)

    def ends_at_ns(self, request: Subscribe) -> int | None:
        """Return when a subscription ends that is to end at a time to come."""
        if not request.follow or request.until is None or request.until.scale is Scale.SEQ:
            return None
        at_ns = self._at_ns(request.until)
        return at_ns if at_ns >= self.clock.now_ns() else None

    def _first_since(self, wall_ns: int) -> int:
        """Return the first seq at this time or later, be it one that is to come."""
        stored = self.past.first_at(wall_ns)
        if stored is not None and stored <= self.past.last_seq:
            return stored
        recent = self.recent.first_since(wall_ns - self.clock.wall_offset_ns())
        return self.recent.last + 1 if recent is None else recent

    def _at_ns(self, point: Point) -> int:
        return self._wall_ns(point) - self.clock.wall_offset_ns()

    def _wall_ns(self, point: Point) -> int:
        offset_ns = self.clock.wall_offset_ns() if point.scale is Scale.BOOT else 0
        return point.value + offset_ns
