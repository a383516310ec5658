# SPDX-License-Identifier: Apache-2.0
"""The writer: a thread that stores what it is given, so that nobody else waits for a disk.

What does not fit into its queue is left out, counted, and declared as a hole. A
store that cannot be written is tried again until it can.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.seal import Hole, holes_between
from sensor.edge.store import LEASE
from sensor.edge.store_queue import Queue
from sensor.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sensor.edge.store import Begun, Store
    from sensor.wire.row import Row

QUEUE_BYTES = 16 << 20
"""What waits to be stored, at most: some 13,000 events, while a disk is busy elsewhere."""

_GATHER_S = 0.1
"""From the first event of a batch to its commit."""

_BATCH_ROWS = 4096

_FIRST_RETRY_S, _LAST_RETRY_S = 0.1, 5.0
_TIDY_S = 600.0
"""From one retention to the next: an idle host is not woken more often."""
_TIDY_ROWS = 4096
"""Or so many events; each retention may drop more than that, so it keeps up with any rate."""

_FAR = 10 * LEASE
"""That is reserved while the store cannot be written: enough for 100 s, as retries get rare."""

_OVERRUN = "more came than could be stored"
_STUCK = "the store could not be written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How much of the past is kept."""

    max_age_s: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Stuck:
    """The store cannot be written, and why; it is tried again."""

    problem: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """The store is written again."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A range that is not in the store, and never will be; the store says so itself by now."""

    hole: Hole


News = Stuck | Recovered | Missed


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterState:
    """Where the writer is. ``unstored`` events of this run were left out.

    ``reserved_seq`` is the first that a later run may use again, should the
    machine lose power now.
    """

    last_seq: int
    waiting_rows: int
    waiting_bytes: int
    unstored: int
    reserved_seq: int
    problem: str | None


class Writer:
    """Stores rows in the order that they are given. ``store`` is the thread's own from now on.

    ``note`` is told the last seq of rows before anything else happens to them:
    give rows here first, and tell readers then.
    """

    def __init__(
        self,
        store: Store,
        begun: Begun,
        keep: Keep,
        note: Callable[[int], None],
        *,
        queue_bytes: int = QUEUE_BYTES,
    ) -> None:
        self._store = store
        self._keep = keep
        self._note = note
        self._changed = threading.Condition()
        self._last_seq = begun.next_seq - 1
        self._lost = begun.lost
        self._queue = Queue(most_bytes=queue_bytes, told_seq=begun.next_seq - 1, lost=begun.lost)
        self._problem: str | None = None
        self._reserved = begun.reserved_seq
        self._next_seq: int | None = None
        self._tidy_at = 0.0
        self._untidy_rows = 0
        self._news: deque[News] = deque()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """Return what becomes readable when there are news."""
        return self._bell

    def news(self) -> list[News]:
        """Return what happened since this was asked last; at the end, what nobody asked for yet."""
        if self._bell >= 0:
            with suppress(BlockingIOError):
                os.eventfd_read(self._bell)
        return [self._news.popleft() for _ in range(len(self._news))]

    def put(self, rows: Sequence[Row]) -> None:
        """Give rows to be stored, each with a greater seq than the one before. Never waits."""
        if not rows:
            return
        self._note(rows[-1].seq)
        with self._changed:
            before = len(self._queue)
            self._queue.offer(rows, why=_STUCK if self._problem else _OVERRUN)
            if not before or before < _BATCH_ROWS <= len(self._queue):
                self._changed.notify()

    def state(self) -> WriterState:
        """Tell where the writer is."""
        with self._changed:
            return WriterState(
                last_seq=self._last_seq,
                waiting_rows=len(self._queue),
                waiting_bytes=self._queue.size_bytes,
                unstored=self._queue.unstored,
                reserved_seq=self._reserved,
                problem=self._problem,
            )

    def close(self, next_seq: int, *, timeout_s: float = 10.0) -> bool:
        """Store what waits and end; seqs from ``next_seq`` on were told to nobody.

        False: it could not be stored in time, and the next run will declare it.
        """
        with self._changed:
            self._next_seq = next_seq
            self._changed.notify()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        os.close(self._bell)
        self._bell = -1
        return self._last_seq == next_seq - 1

    def _run(self) -> None:
        try:
            while self._wait():
                self._store_waiting()
                self._keep_house()
            with suppress(StoreError):
                self._store.finish(self._next_seq or self._last_seq + 1)
        finally:
            self._store.close()
            if self._next_seq is None:
                self._problem = "the thread that writes the store ended; start the sensor again"
                self._tell(Stuck(self._problem))

    def _wait(self) -> bool:
        """Wait until there is something to store or to tidy. False: all is done."""
        with self._changed:
            idle_s = max(self._tidy_at - time.monotonic(), 0.0)
            self._changed.wait_for(lambda: not self._queue.is_idle or self._is_closing, idle_s)
            if len(self._queue):
                self._changed.wait_for(
                    lambda: len(self._queue) >= _BATCH_ROWS or self._is_closing, _GATHER_S
                )
            return not (self._queue.is_idle and self._is_closing)

    @property
    def _is_closing(self) -> bool:
        return self._next_seq is not None

    def _store_waiting(self) -> None:
        """Store a batch of what waits, however long it takes; at the end there is one try."""
        retry_s, most_rows = _FIRST_RETRY_S, _BATCH_ROWS
        while True:
            with self._changed:
                rows, missing = self._queue.batch(most_rows)
            if not rows and not missing:
                return
            try:
                holes = self._store_rows(rows, missing)
            except StoreError as problem:
                self._note_problem(str(problem))
                with self._changed:
                    if self._changed.wait_for(lambda: self._is_closing, retry_s):
                        self._queue.clear()
                        return
                # Half of it may fit where all of it does not.
                retry_s, most_rows = min(retry_s * 2, _LAST_RETRY_S), max(most_rows // 2, 1)
            else:
                self._note_stored(rows, holes)
                return

    def _store_rows(self, rows: Sequence[Row], missing: Sequence[Hole]) -> list[Hole]:
        """Store rows and declare what is missing among them; without rows, all that is missing."""
        self._reserve()
        last_seq = self._store.last_seq
        # A commit may have worked although it seemed to fail: such rows are there already.
        fresh = [row for row in rows if row.seq > last_seq]
        ends = [row.seq for row in fresh] if rows else [missing[-1].last_seq + 1]
        holes = list(holes_between(last_seq, ends, missing))
        if fresh or holes:
            self._store.append(fresh, holes)
        return holes

    def _reserve(self) -> None:
        """Keep ahead of what was told, also of what is not stored."""
        ahead = LEASE if self._problem is None else _FAR
        told_seq = self._queue.told_seq
        if told_seq + ahead // 2 >= self._reserved:
            self._reserved = self._store.reserve(told_seq + ahead)

    def _note_problem(self, problem: str) -> None:
        if self._problem is None:
            self._problem = problem
            self._tell(Stuck(problem))

    def _note_stored(self, rows: Sequence[Row], holes: Sequence[Hole]) -> None:
        with self._changed:
            self._last_seq = self._store.last_seq
            self._queue.remove(rows, last_seq=self._last_seq)
            self._untidy_rows += len(rows)
            was_stuck, self._problem = self._problem is not None, None
        if was_stuck:
            self._tell(Recovered())
        for hole in holes:
            # What the run before lost is known since this one began.
            if hole != self._lost:
                self._tell(Missed(hole))

    def _tell(self, news: News) -> None:
        self._news.append(news)
        os.eventfd_write(self._bell, 1)

    def _keep_house(self) -> None:
        """Let retention drop some, now and then; again at once after the next batch if more is due.

        Where it cannot, the next batch cannot be stored either, and tells.
        """
        if time.monotonic() < self._tidy_at and self._untidy_rows < _TIDY_ROWS:
            return
        self._untidy_rows = 0
        done = None
        with suppress(StoreError):
            done = self._store.retain(
                max_age_s=self._keep.max_age_s,
                max_bytes=self._keep.max_bytes,
                now_wall_ns=time.time_ns(),
            )
        wait_s = 0.0 if done and done.more else _TIDY_S
        self._tidy_at = time.monotonic() + wait_s
