# SPDX-License-Identifier: Apache-2.0
"""Questions that take several looks at a source: sessions, one with its tree, an event's why."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from sensor.core.filter import EVERYTHING, MOST_VALUES, Filter
from sensor.core.quote import quote
from sensor.core.sessionbook import Book, Now
from sensor.core.sessiontree import Trees
from sensor.core.when import Seq
from sensor.core.words import Kind
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sensor.core.event import Event
    from sensor.core.sessionbook import Run
    from sensor.core.sessiontree import Branch
    from sensor.core.when import When
    from sensor.daemon.reading import Source

    # Passes events on, and shows how far one is.
    Counted = Callable[[Iterable[Event]], Iterator[Event]]

_Item = TypeVar("_Item")

_STARTS = frozenset({Kind.SESSION_START.value})
_ENDS = frozenset({*_STARTS, Kind.SESSION_END.value})
_SUMS = frozenset({Kind.EXEC.value, Kind.CONNECT.value, Kind.CLOSE.value})


def now(source: Source) -> Now:
    """Return the time by which sessions that have no end are judged."""
    return Now(source.boot_id, time.clock_gettime_ns(time.CLOCK_BOOTTIME))


def runs(
    source: Source,
    wanted: Filter,
    *,
    since: When | None,
    until: When | None,
    counted: Counted = iter,
) -> list[Run]:
    """Return the sessions that were running at some time of a window, in order of their start.

    What they began and ended with is looked for in all that is stored, so that
    one that has been running since last week is found.
    """
    book, at = Book(), now(source)
    for event in counted(source.events(replace(wanted, kinds=_ENDS))):
        book.take(event)
    chosen = [run for run in book.runs.values() if run.is_within(since, until, at)]
    for part in _parts(chosen):
        sums = Filter(sessions=frozenset(run.id for run in part), kinds=_SUMS)
        for event in counted(source.events(sums, since=Seq(part[0].first_seq))):
            book.take(event)
    return chosen


def session(
    source: Source, session_id: str, *, counted: Counted = iter
) -> tuple[Run, list[Branch]]:
    """Return one session with its trees, and in them the sessions within it.

    Raises BadInputError where nothing of it is stored.
    """
    first = first_of(source, session_id)
    book, trees = Book(), Trees()
    family = _family(source, session_id, first.seq)
    for part in _parts(family):
        wanted = Filter(sessions=frozenset(part))
        for event in counted(source.events(wanted, since=Seq(first.seq))):
            book.take(event)
            trees.take(event)
    return book.runs[session_id], trees.roots()


def first_of(source: Source, session_id: str) -> Event:
    """Return the first event of a session. Raises BadInputError where nothing of it is stored."""
    first = next(source.events(Filter(sessions=frozenset({session_id}))), None)
    if first is None:
        raise BadInputError(
            f"session {quote(session_id)}: no event of it is stored; "
            "`agent-sensor sessions --since 0` lists those that are"
        )
    return first


def judged(source: Source, seq: int) -> tuple[Event, Event | None]:
    """Return an event and the one that began its session, if that is stored.

    Raises BadInputError where the event is not.
    """
    found = source.span(EVERYTHING, seq, seq) if seq <= source.newest else iter(())
    event = next(found, None)
    if event is None:
        raise BadInputError(
            f"event {seq} is not stored; the newest is {source.newest}, and "
            "`agent-sensor query --since 0 -n 1` shows one that is"
        )
    if event.session is None:
        return event, None
    start = Filter(sessions=frozenset({event.session}), kinds=_STARTS)
    return event, next(source.events(start, until=Seq(seq)), None)


def _family(source: Source, session_id: str, first_seq: int) -> list[str]:
    """Return a session and those within it, at any depth: a start comes after the one around it."""
    family = {session_id: None}
    for event in source.events(Filter(kinds=_STARTS), since=Seq(first_seq)):
        if event.session and event.parent_session in family:
            family[event.session] = None
    return list(family)


def _parts(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Cut into parts that a filter has room for."""
    for start in range(0, len(items), MOST_VALUES):
        yield items[start : start + MOST_VALUES]
