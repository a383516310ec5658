# SPDX-License-Identifier: Apache-2.0
"""Following the stream: events as they come, over restarts of the daemon.

The reader's position is the seq after the last event that it was given. With it
the next daemon goes on where the last one ended, and says what may be missing.
"""

from __future__ import annotations

import selectors
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from sensor.core.away import Back, Garbled, Gone, Missed
from sensor.core.event import Kind
from sensor.core.filter import EVERYTHING, Filter
from sensor.core.wall import rfc3339
from sensor.core.when import Seq
from sensor.daemon.reading import SOCKET, point
from sensor.edge.hubclient import Connection, Unreadable
from sensor.errors import DaemonGoneError, NoDaemonError
from sensor.wire.answers import Skipped
from sensor.wire.requests import Fetch, Subscribe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sensor.core.away import Remark
    from sensor.core.event import Event
    from sensor.core.when import When

_AGAIN_S = 0.2
"""Between two looks for the daemon's socket: less than a daemon takes to start."""

_GAPS = Filter(kinds=frozenset({Kind.GAP.value}))


class Readable(Protocol):
    """What can be waited for."""

    def fileno(self) -> int:
        """Return the file descriptor."""


class Tail:
    """Follows the stream of the daemon at ``run_dir`` until ``until``, or one of ``ends``.

    ``ends`` are what becomes readable when nobody wants to know more. Raises
    what ``Connection`` raises, and NoDaemonError if there is none at the beginning.
    """

    def __init__(
        self,
        run_dir: Path,
        *,
        wanted: Filter = EVERYTHING,
        until: When | None = None,
        ends: Sequence[Readable | int] = (),
    ) -> None:
        self._path = run_dir / SOCKET
        self._wanted = wanted
        self._until = until
        self._ends = list(ends)
        self._is_over = False
        self._last_seq = 0
        self._asked: When | None = None
        self._owed: deque[tuple[int, int]] = deque()
        self._is_fetching = False

    def batches(self, since: When | None) -> Iterator[list[Event | Remark]]:
        """Return what comes, in lists as it comes; ``since`` None is now."""
        connection = Connection(self._path)
        return self._batches(connection, since or Seq(connection.hello.seq + 1))

    def _batches(self, connection: Connection, position: When) -> Iterator[list[Event | Remark]]:
        while True:
            if isinstance(position, Seq):
                self._last_seq = max(self._last_seq, position.seq - 1)
            with connection:
                try:
                    yield from self._follow(connection, position)
                except DaemonGoneError:
                    left_at = _now()
                else:
                    return
            yield [Gone(left_at)]
            back = self._await(left_at)
            if back is None:
                return
            connection, remark = back
            yield [remark]
            if remark.is_anew:
                self._last_seq, position = 0, Seq(0)
                self._owed.clear()
            elif self._last_seq:
                position = Seq(self._last_seq + 1)

    def _follow(self, connection: Connection, position: When) -> Iterator[list[Event | Remark]]:
        request = Subscribe(
            filter=self._wanted,
            since=point(position),
            until=point(self._until) if self._until else None,
        )
        arriving = connection.events(request)
        self._asked, self._is_fetching = position, False
        while connection.is_asked:
            self._fetch_owed(connection)
            if not self._waits_for(connection):
                return
            if batch := next(arriving, []):
                yield [self._taken(one) for one in batch]

    def _fetch_owed(self, connection: Connection) -> None:
        """Have what was skipped fetched, one range after the other."""
        if connection.is_fetching:
            return
        if self._is_fetching:
            self._owed.popleft()
        self._is_fetching = bool(self._owed)
        if self._is_fetching:
            first, last = self._owed[0]
            connection.fetch(Fetch(first=first, last=last, filter=self._wanted))

    def _taken(self, one: Event | Skipped | Unreadable) -> Event | Remark:
        match one:
            case Unreadable(why):
                return Garbled(why)
            case Skipped(first, last):
                return self._missed(first, last)
            case _:
                # What is fetched is older than some that was seen.
                if self._is_fetching and one.seq <= self._owed[0][1]:
                    self._owed[0] = (one.seq + 1, self._owed[0][1])
                self._last_seq = max(self._last_seq, one.seq)
                return one

    def _missed(self, first: int, last: int) -> Missed:
        """Note a range to be fetched, unless it was skipped of a fetch or is kept no more."""
        is_of_fetch = self._is_fetching and last <= self._owed[0][1]
        is_dropped = self._asked == Seq(first)
        if not is_of_fetch and not is_dropped:
            self._owed.append((first, last))
        self._last_seq = max(self._last_seq, last)
        return Missed(first, last, fetched=not is_of_fetch and not is_dropped)

    def _await(self, left_at: str) -> tuple[Connection, Back] | None:
        """Wait for a daemon, and ask it what may be missing; None when one of the ends came."""
        while not self._is_over:
            try:
                connection = Connection(self._path)
            except (NoDaemonError, DaemonGoneError):
                self._waits_for(None)
                continue
            try:
                return connection, self._back(connection, left_at)
            except DaemonGoneError:
                connection.close()
        return None

    def _back(self, connection: Connection, left_at: str) -> Back:
        newest = connection.hello.seq
        gaps: list[Event] = []
        if self._last_seq < newest:
            request = Subscribe(
                filter=_GAPS,
                since=point(Seq(self._last_seq + 1)),
                until=point(Seq(newest)),
                follow=False,
            )
            for batch in connection.events(request):
                gaps += (one for one in batch if not isinstance(one, Skipped | Unreadable))
        return Back(
            left_at=left_at,
            back_at=_now(),
            last_seq=self._last_seq,
            newest=newest,
            gaps=gaps,
        )

    def _waits_for(self, connection: Connection | None) -> bool:
        """Wait until there is something to read, False if it is an end; or for a while."""
        sources: list[Readable | int] = [*self._ends, *([connection] if connection else [])]
        with selectors.DefaultSelector() as waiting:
            for source in sources:
                waiting.register(source, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in waiting.select(None if connection else _AGAIN_S)}
        self._is_over = any(end in ready for end in self._ends)
        return not self._is_over


def _now() -> str:
    return rfc3339(time.time_ns())
