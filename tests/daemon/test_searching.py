# SPDX-License-Identifier: Apache-2.0
"""Sessions, trees and reasons are put together from several looks at what is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.recorded import recorded, stored

from sensor.core.filter import EVERYTHING, MOST_VALUES, Filter
from sensor.core.sessionbook import Now, State
from sensor.core.wall import instant
from sensor.core.when import Moment, Seq
from sensor.core.words import Kind
from sensor.daemon import searching
from sensor.daemon.reading import STORE, StoreSource
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sensor.core.event import Event

    Opened = Callable[[Sequence[Event]], StoreSource]

TOLD = recorded()
CLAUDE, CODEX, AIDER = "awyyzsd3", "n6tnxsub", "j353jvw7"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Return a function that stores events and opens the store."""
    sources: list[StoreSource] = []

    def open_store(told: Sequence[Event]) -> StoreSource:
        stored(tmp_path / STORE, told)
        sources.append(StoreSource(tmp_path, lambda remark: pytest.fail(repr(remark))))
        return sources[-1]

    yield open_store
    for source in sources:
        source.close()


def test_sessions_of_a_window_are_summed_up_as_a_whole(opened: Opened) -> None:
    """Also what they did before the window, and what was closed after their end."""
    source = opened(TOLD)
    late = Moment(instant("2026-11-23T14:00:45.0Z"))
    found = searching.runs(source, EVERYTHING, since=late, until=None)
    assert [run.id for run in found] == [CLAUDE, AIDER]
    assert (found[0].sent_bytes, found[0].connections) == (12595, 1)
    assert [run.id for run in searching.runs(source, EVERYTHING, since=None, until=Seq(31))] == [
        CLAUDE, CODEX,
    ]  # fmt: skip


def test_sessions_can_be_filtered(opened: Opened) -> None:
    """By who and what they are."""
    wanted = Filter(tools=frozenset({"codex"}))
    [run] = searching.runs(opened(TOLD), wanted, since=None, until=None)
    assert (run.id, run.connections) == (CODEX, 2)


def test_more_sessions_than_a_filter_has_room_for_are_all_summed_up(opened: Opened) -> None:
    """They are asked for in parts."""
    own = [event for event in TOLD if event.session == CODEX]
    told = [
        replace(event, seq=number * len(own) + place, session=f"s{number}", parent_session=None)
        for number in range(MOST_VALUES + 44)
        for place, event in enumerate(own, 1)
    ]
    found = searching.runs(opened(told), EVERYTHING, since=None, until=None)
    assert len(found) == MOST_VALUES + 44
    assert {run.connections for run in found} == {2}


def test_without_a_daemon_nobody_knows_what_runs(opened: Opened) -> None:
    """With one, what has not ended in its boot does."""
    source = opened(TOLD)
    now = searching.now(source)
    [*_, run] = searching.runs(source, EVERYTHING, since=None, until=None)
    assert run.state(now) is State.UNSEEN
    assert run.state(Now(run.boot_id, now.at_ns)) is State.RUNNING


def test_a_session_is_shown_with_those_within_it(opened: Opened) -> None:
    """As one tree; a session within stands alone when it is asked for."""
    source = opened(TOLD)
    run, [tree] = searching.session(source, CLAUDE)
    assert run.id == CLAUDE
    assert {one.process.pid for _, one in tree.walk()} >= {10, 12, 40}
    _, [inner] = searching.session(source, CODEX)
    assert [one.process.pid for _, one in inner.walk()] == [40]


def test_a_session_that_is_not_stored_is_refused(opened: Opened) -> None:
    """With how to find one that is."""
    with pytest.raises(BadInputError, match=r'session "a\\x1b": no event of it is stored'):
        searching.session(opened(TOLD), "a\x1b")


def test_an_event_is_judged_with_the_start_of_its_session(opened: Opened) -> None:
    """If it has one, and that is stored."""
    source = opened([event for event in TOLD if event.seq > 20])
    connect = next(event for event in TOLD if event.seq > 30 and event.kind is Kind.CONNECT)
    event, start = searching.judged(source, connect.seq)
    assert event == connect
    assert start
    assert (start.kind, start.session) == (Kind.SESSION_START, CODEX)
    own = next(event for event in TOLD if event.seq > 20 and event.session == CLAUDE)
    assert searching.judged(source, own.seq) == (own, None)
    loss = next(event for event in TOLD if event.kind is Kind.LOSS)
    assert searching.judged(source, loss.seq) == (loss, None)


def test_an_event_that_is_not_stored_is_refused(opened: Opened) -> None:
    """With the newest that is."""
    with pytest.raises(BadInputError, match="event 4711 is not stored; the newest is 44"):
        searching.judged(opened(TOLD), 4711)
