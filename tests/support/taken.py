# SPDX-License-Identifier: Apache-2.0
"""What somebody who follows the stream was given, event by event and word by word."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sensor.core.away import Back, Missed, Remark
from sensor.core.event import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEADLINE_S = 20.0


class Reading:
    """What a tail has given so far."""

    def __init__(self, batches: Iterator[list[Event | Remark]]) -> None:
        self._batches = batches
        self.seqs: list[int] = []
        self.remarks: list[Remark] = []

    def until(self, is_so: Callable[[], bool]) -> None:
        """Take batches until something is so."""
        deadline = time.monotonic() + DEADLINE_S
        while not is_so():
            assert time.monotonic() < deadline, (self.seqs[-5:], self.remarks)
            self.take(next(self._batches))

    def rest(self) -> None:
        """Take all that comes until the tail ends."""
        for batch in self._batches:
            self.take(batch)

    def take(self, batch: list[Event | Remark]) -> None:
        """Take one batch."""
        for one in batch:
            if isinstance(one, Event):
                self.seqs.append(one.seq)
            else:
                self.remarks.append(one)

    def upto(self, seq: int) -> None:
        """Take batches until an event has come."""
        self.until(lambda: seq in self.seqs)

    def told(self, kind: type[Remark]) -> None:
        """Take batches until something was said."""
        self.until(lambda: any(isinstance(one, kind) for one in self.remarks))

    @property
    def backs(self) -> list[Back]:
        """What was known when the daemon was back."""
        return [one for one in self.remarks if isinstance(one, Back)]

    @property
    def gone(self) -> set[int]:
        """The seqs that were said not to be had."""
        missed = (one for one in self.remarks if isinstance(one, Missed) and not one.fetched)
        return {seq for one in missed for seq in range(one.first, one.last + 1)}
