# SPDX-License-Identifier: Apache-2.0
"""Where stored events come from: the daemon, if one runs; else its store, for root, read only."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, Protocol

from sensor.core.away import Garbled, Missed
from sensor.core.filter import EVERYTHING
from sensor.core.wall import instant
from sensor.core.when import Moment, Seq
from sensor.edge.hubclient import Connection, Unreadable
from sensor.edge.store import Store
from sensor.errors import BadInputError, FrameError, NoDaemonError
from sensor.wire.answers import Skipped
from sensor.wire.frame import event_of
from sensor.wire.requests import Point, Scale, Subscribe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sensor.core.away import Remark
    from sensor.core.event import Event
    from sensor.core.filter import Filter
    from sensor.core.when import When

SOCKET = "stream.sock"
STORE = "events.db"

PAGE = 256
"""Events that are read from the store at once, as the daemon does."""

RECENT = 65_536
"""Seqs among which the newest events are looked for when nobody says how far back."""

_FIRST_SPAN = 1024


class Source(Protocol):
    """Stored events. ``newest`` is the last seq there is; ``boot_id`` that of the running daemon.

    What could not be read, and what was there and is not any more, goes to
    ``remark``; it is given to whoever opens a source.
    """

    newest: int
    boot_id: str | None

    def events(
        self, wanted: Filter = EVERYTHING, *, since: When | None = None, until: When | None = None
    ) -> Iterator[Event]:
        """Go through all that is stored between two points, both included, oldest first.

        Raises BadInputError for a seq that is yet to come.
        """

    def span(self, wanted: Filter, first: int, last: int) -> Iterator[Event]:
        """Go through what is stored of a range of seqs, whatever was there before."""

    def close(self) -> None:
        """Let go of what was opened."""


class HubSource:
    """The daemon's hub as a source. Raises what ``Connection`` raises."""

    def __init__(self, run_dir: Path, remark: Callable[[Remark], None]) -> None:
        self._path = run_dir / SOCKET
        self._remark = remark
        with Connection(self._path) as connection:
            self.newest = connection.hello.seq
            self.boot_id: str | None = connection.hello.boot_id

    def events(
        self, wanted: Filter = EVERYTHING, *, since: When | None = None, until: When | None = None
    ) -> Iterator[Event]:
        """Ask on a connection of its own: one who stops half way leaves nothing in the next."""
        return self._asked(wanted, since or Seq(0), until or Seq(self.newest), self._remark)

    def span(self, wanted: Filter, first: int, last: int) -> Iterator[Event]:
        """Ask the same; the hub's word on what is not there any more is not passed on."""

        def remark(one: Remark) -> None:
            if not (isinstance(one, Missed) and one.first == first):
                self._remark(one)

        return self._asked(wanted, Seq(first), Seq(last), remark)

    def _asked(
        self, wanted: Filter, since: When, until: When, remark: Callable[[Remark], None],
        *, again: bool = True,
    ) -> Iterator[Event]:  # fmt: skip
        """Go through the answer. What was skipped is asked for once more: by then it is stored."""
        request = Subscribe(filter=wanted, since=point(since), until=point(until), follow=False)
        with Connection(self._path) as connection:
            for batch in connection.events(request):
                for one in batch:
                    match one:
                        case Skipped(first, last) if again:
                            yield from self._asked(
                                wanted, Seq(first), Seq(last), remark, again=False
                            )
                        case Skipped(first, last):
                            remark(Missed(first, last, fetched=False))
                        case Unreadable(why):
                            remark(Garbled(why))
                        case _:
                            yield one

    def close(self) -> None:
        """Do nothing: each question closes its own connection."""


class StoreSource:
    """The store as a source, while no daemon runs. Raises what ``Store`` raises."""

    def __init__(self, state_dir: Path, remark: Callable[[Remark], None]) -> None:
        self._store = Store(state_dir / STORE, read_only=True)
        self._remark = remark
        self.newest = self._store.last_seq
        self.boot_id: str | None = None

    def events(
        self, wanted: Filter = EVERYTHING, *, since: When | None = None, until: When | None = None
    ) -> Iterator[Event]:
        """Read what the hub would tell, with its words on what is not there."""
        first, last, oldest = self._first(since), self._last(until), self._store.first_seq
        if isinstance(since, Seq) and first > self.newest + 1:
            raise BadInputError(f"seq {first} is yet to come: the newest is {self.newest}")
        if 0 < first < oldest and first <= last:
            self._remark(Missed(first, min(oldest - 1, last), fetched=False))
        return self.span(wanted, max(first, oldest), last)

    def span(self, wanted: Filter, first: int, last: int) -> Iterator[Event]:
        """Read page by page."""
        while first <= last:
            rows = self._store.read(first, last, wanted, PAGE)
            for _, body in rows:
                try:
                    yield event_of(body)
                except FrameError as problem:
                    self._remark(Garbled(str(problem)))
            first = rows[-1][0] + 1 if len(rows) == PAGE else last + 1

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def _first(self, since: When | None) -> int:
        if since is None:
            return 0
        if isinstance(since, Seq):
            return since.seq
        return self._store.first_at(since.wall_ns) or self.newest + 1

    def _last(self, until: When | None) -> int:
        if until is None:
            return self.newest
        if isinstance(until, Seq):
            return min(until.seq, self.newest)
        following = self._store.first_at(until.wall_ns + 1)
        return self.newest if following is None else following - 1


def opened(
    *,
    run_dir: Path,
    state_dir: Path,
    remark: Callable[[Remark], None],
    say: Callable[[str], None],
) -> Source:
    """Open the daemon's hub or, for root and with no daemon, the store.

    Raises NoDaemonError where there is neither, and what opening raises.
    """
    try:
        return HubSource(run_dir, remark)
    except NoDaemonError:
        if not os.access(state_dir / STORE, os.R_OK):  # which takes root
            raise
    source = StoreSource(state_dir, remark)
    say(f"no daemon at {run_dir / SOCKET}: reading {state_dir / STORE}")
    return source


def newest(
    source: Source,
    wanted: Filter,
    amount: int,
    *,
    since: When | None = None,
    until: When | None = None,
    everywhere: bool = True,
    accepts: Callable[[Event], bool] = lambda _event: True,
) -> list[Event]:
    """Return the newest events of a range, oldest first.

    Without ``since`` they are looked for from the end backwards, ``everywhere``
    or among the last ``RECENT`` only.
    """
    if since is not None:
        passing = filter(accepts, source.events(wanted, since=since, until=until))
        return list(deque(passing, maxlen=amount))
    found: list[Event] = []
    last = min(until.seq, source.newest) if isinstance(until, Seq) else source.newest
    lowest = 1 if everywhere else max(1, last - RECENT + 1)
    span = _FIRST_SPAN
    while last >= lowest and len(found) < amount:
        first = max(lowest, last - span + 1)
        part = source.span(wanted, first, last)
        some = (one for one in part if accepts(one) and not _is_after(one, until))
        found = [*deque(some, maxlen=amount - len(found)), *found]
        last, span = first - 1, span * 2
    return found


def point(when: When) -> Point:
    """Return a point as the hub understands it."""
    if isinstance(when, Seq):
        return Point(Scale.SEQ, when.seq)
    return Point(Scale.WALL, when.wall_ns)


def _is_after(event: Event, until: When | None) -> bool:
    return isinstance(until, Moment) and instant(event.at) > until.wall_ns
