# SPDX-License-Identifier: Apache-2.0
"""The queue before the store: it has a bound, and knows exactly what it left out.

It has no lock of its own; the writer's is around it.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from sensor.core.seal import Hole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensor.wire.row import Row

ROW_BYTES = 400
"""What a row takes in memory beside its body: the tuple, its integers, the body's object."""


class Queue:
    """Rows that wait to be stored, of ``most_bytes`` together, and what is missing among them.

    ``missing`` has the ranges that were left out, each with its reason, in
    order; ``told_seq`` is the last seq that was offered, ``unstored`` how many
    rows were not taken.
    """

    def __init__(self, *, most_bytes: int, told_seq: int, lost: Hole | None) -> None:
        self._most_bytes = most_bytes
        self._rows: deque[Row] = deque()
        self._is_dropping = False
        self.size_bytes = 0
        self.told_seq = told_seq
        self.unstored = 0
        self.missing = [lost] if lost else []

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def is_idle(self) -> bool:
        """Nothing is to be stored or declared."""
        return not self._rows and not self.missing

    def offer(self, rows: Sequence[Row], *, why: str) -> None:
        """Take rows or leave them out, for this reason. An empty queue takes anything.

        Once full, it takes nothing until half is gone: one hole and not a thousand.
        """
        self.told_seq = rows[-1].seq
        size = _size(rows)
        room = self._most_bytes // 2 if self._is_dropping else self._most_bytes
        if not self._rows or self.size_bytes + size <= room:
            self._is_dropping = False
            self._rows.extend(rows)
            self.size_bytes += size
            return
        self.unstored += len(rows)
        first = self.missing.pop().first_seq if self._is_dropping else rows[0].seq
        self.missing.append(Hole(first, rows[-1].seq, why))
        self._is_dropping = True

    def batch(self, most_rows: int) -> tuple[list[Row], tuple[Hole, ...]]:
        """Return the oldest rows, which stay until they are stored, and what is missing."""
        rows = list(islice(self._rows, most_rows))
        if not rows:
            # What is missing is complete: nothing may be added to it once it is declared.
            self._is_dropping = False
        return rows, tuple(self.missing)

    def remove(self, rows: Sequence[Row], *, last_seq: int) -> None:
        """Forget the oldest rows, and what is missing up to a seq: they are in the store."""
        for _ in rows:
            self._rows.popleft()
        self.size_bytes -= _size(rows)
        self.missing = [hole for hole in self.missing if hole.last_seq > last_seq]

    def clear(self) -> None:
        """Give everything up."""
        self._rows.clear()
        self.missing.clear()
        self.size_bytes = 0
        self._is_dropping = False


def _size(rows: Sequence[Row]) -> int:
    return sum(len(row.body) for row in rows) + ROW_BYTES * len(rows)
