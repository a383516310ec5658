# SPDX-License-Identifier: Apache-2.0
"""A subscription: where a reader is in the stream, and what it gets next.

It starts in the past, which the store has, comes to what is recent, which is in
memory, and then waits for what is to come. There is one position, a seq, that
only grows; past and present join without a seam because both are asked for what
comes at that position. Each event that matches is given once and in order, or
lies in a range that is told as skipped.

Who is in the past may be slow: it reads pages at its own pace. Who has seen the
present and then falls behind what is kept in memory is told what it missed, and
goes on in the middle of it, so that it is not told again at the next event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sensor.core.filter import EVERYTHING

if TYPE_CHECKING:
    from sensor.core.filter import Filter

PAGE = 256
"""Most events that are read from the store at once: 2 ms, in which the daemon's loop waits."""

SPAN = 4096
"""Most seqs that one page goes over: a filter that lets little pass is no reason to wait longer."""

UNLIMITED = 1 << 62


class Past(Protocol):
    """What was stored. It may be behind the stream by what is about to be stored."""

    @property
    def last_seq(self) -> int:
        """The newest seq that is stored, 0 where nothing is."""

    def read(
        self,
        first: int,
        last: int,
        filter: Filter,  # noqa: A002  # the key of the message, docs/stream.md
        limit: int,
    ) -> list[tuple[int, bytes]]:
        """Return the oldest events from ``first`` to ``last`` that pass: seq and body."""

    def first_at(self, wall_ns: int) -> int | None:
        """Return the seq of the first event at this Unix time or later; None: none is stored."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is in memory: ``first`` to ``last``; ``middle`` is where a slow reader goes on."""

    first: int
    middle: int
    last: int


@dataclass(frozen=True, slots=True)
class ReadPast:
    """Read a page from the store, at most ``limit`` events."""

    first: int
    last: int
    limit: int


@dataclass(frozen=True, slots=True)
class ReadRecent:
    """Take from memory, at most ``limit`` events."""

    first: int
    last: int
    limit: int


@dataclass(frozen=True, slots=True)
class Skip:
    """Tell the reader that it does not get this range."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Finish:
    """Tell the reader that it has got all, up to this seq."""

    seq: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to be had now: not before the next event, or ``for_store``, which is behind."""

    for_store: bool = False


Step = ReadPast | ReadRecent | Skip | Finish | Wait


class Subscription:
    """One reader's position, from ``first`` to ``last`` (None: for ever), ``limit`` events.

    With ``every``, nothing is ever skipped: what is no longer in memory is read
    from the store, and waited for until it is there.
    """

    def __init__(
        self,
        *,
        first: int,
        last: int | None = None,
        limit: int | None = None,
        wanted: Filter = EVERYTHING,
        every: bool = False,
    ) -> None:
        self.wanted = wanted
        self.last = UNLIMITED if last is None else last
        self._next = first
        self._left = UNLIMITED if limit is None else limit
        self._every = every
        self._has_seen_present = False

    def step(self, window: Window, *, stored: int, is_patient: bool = False) -> Step:
        """Say what comes next. ``stored`` is the newest seq that the store has.

        Who is patient waits for it to have what is in memory no more: it is about to.
        """
        if self._left == 0 or self._next > self.last:
            return Finish(self._next - 1)
        if self._next > window.last:
            self._has_seen_present = True
            return Wait()
        if self._next >= window.first:
            return ReadRecent(self._next, min(self.last, window.last), self._left)
        if self._has_seen_present and not self._every:
            return self._skip(window.middle - 1)
        if self._next <= stored:
            last = min(self.last, window.first - 1, stored, self._next + SPAN - 1)
            return ReadPast(self._next, last, min(PAGE, self._left))
        return Wait(for_store=True) if is_patient or self._every else self._skip(window.first - 1)

    def is_behind(self, window: Window) -> bool:
        """Tell whether it matters for the next step what the store has."""
        return self._next < window.first

    def advance(self, upto: int, given: int) -> None:
        """Take note that all up to a seq was looked at, and how many events were given."""
        self._next = upto + 1
        self._left -= given

    def _skip(self, last: int) -> Skip:
        skip = Skip(self._next, min(last, self.last))
        self._next = skip.last + 1
        return skip
