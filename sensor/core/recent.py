# SPDX-License-Identifier: Apache-2.0
"""The newest events, as every reader gets them: one copy for all, bounded in bytes.

Readers do not queue events of their own, they point to where they are in here.
So a reader that stays away costs nothing, and falls off the old end.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.filter import EVERYTHING

if TYPE_CHECKING:
    from sensor.core.filter import Filter, Traits

ENTRY_BYTES = 320
"""What one entry takes beside its bytes: traits, four numbers, their places in lists."""

SCANNED = 4096
"""Most entries that one call looks at for a filter: 2 ms, in which others wait."""

_SPARE = 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """Events for one reader: their bytes, how many, and the seq up to which all were looked at."""

    content: bytes
    count: int
    upto: int


class Recent:
    """Keeps the newest events in about ``limit_bytes``; ``last`` is the newest seq before them.

    ``first`` to ``last`` is the range for which it has every event there is.
    """

    def __init__(self, *, limit_bytes: int, last: int) -> None:
        self.first = last + 1
        self.last = last
        self._limit_bytes = limit_bytes
        self._dropped = 0  # entries at the start of the lists that are gone
        self._dropped_bytes = 0
        self._seqs: list[int] = []
        self._at_ns: list[int] = []
        self._traits: list[Traits] = []
        self._contents: list[bytes] = []
        self._ends: list[int] = []  # bytes up to the end of an entry, since the beginning

    @property
    def kept_bytes(self) -> int:
        """What the entries take now."""
        return (self._ends[-1] if self._ends else self._dropped_bytes) - self._dropped_bytes

    @property
    def middle(self) -> int:
        """The seq in the middle of what is kept, by bytes."""
        half = self._dropped_bytes + self.kept_bytes // 2
        place = bisect_left(self._ends, half, self._dropped)
        return self._seqs[place] if place < len(self._seqs) else self.first

    def add(self, seq: int, at_ns: int, traits: Traits, content: bytes) -> None:
        """Take the next event, and let go of the oldest that there is no room for."""
        before = self._ends[-1] if self._ends else self._dropped_bytes
        self._seqs.append(seq)
        self._at_ns.append(at_ns)
        self._traits.append(traits)
        self._contents.append(content)
        self._ends.append(before + len(content) + ENTRY_BYTES)
        self.last = seq
        while self.kept_bytes > self._limit_bytes:
            self._drop()

    def take(self, first: int, last: int, wanted: Filter, *, most: int, most_bytes: int) -> Taken:
        """Return the next events for a reader: from ``first`` on and one at the least.

        ``first`` has to lie within the range that is kept, ``last`` may lie beyond.
        """
        start = bisect_left(self._seqs, first, self._dropped)
        end = bisect_right(self._seqs, last, start)
        if wanted == EVERYTHING:
            before = self._ends[start - 1] if start > self._dropped else self._dropped_bytes
            room = bisect_right(self._ends, before + most_bytes, start)
            end = min(max(room, start + 1), start + most, end)
            chosen = self._contents[start:end]
        else:
            chosen, end = self._choose(start, min(end, start + SCANNED), wanted, most, most_bytes)
        upto = self._seqs[end] - 1 if end < len(self._seqs) else self.last
        return Taken(b"".join(chosen), len(chosen), min(upto, last))

    def first_since(self, at_ns: int) -> int | None:
        """Return the oldest seq that is kept of an event at this time or later."""
        for place in range(self._dropped, len(self._seqs)):
            if self._at_ns[place] >= at_ns:
                return self._seqs[place]
        return None

    def _choose(
        self, start: int, end: int, wanted: Filter, most: int, most_bytes: int
    ) -> tuple[list[bytes], int]:
        """Return what a filter lets pass, and where the search ended."""
        chosen: list[bytes] = []
        for place in range(start, end):
            if wanted.accepts(self._traits[place]):
                chosen.append(self._contents[place])
                most_bytes -= len(self._contents[place])
                if len(chosen) == most or most_bytes <= 0:
                    return chosen, place + 1
        return chosen, end

    def _drop(self) -> None:
        place = self._dropped
        self.first = self._seqs[place] + 1
        self._dropped_bytes = self._ends[place]
        self._contents[place] = b""
        self._dropped += 1
        # Lists are cut when half of them is gone: one copy an entry, all in all.
        if self._dropped > max(_SPARE, len(self._seqs) // 2):
            for kept in (self._seqs, self._at_ns, self._traits, self._contents, self._ends):
                del kept[: self._dropped]
            self._dropped = 0
