# SPDX-License-Identifier: Apache-2.0
"""An event says that somebody is ended; what is seen later says whether that is so."""

from __future__ import annotations

import pytest
from support.story import (
    CATALOGUE,
    CLAUDE,
    SECOND,
    StoryHost,
    at,
    enforced,
    events,
    exec_,
    exit_,
    fork,
)

from sensor.core import condemned
from sensor.core.condemned import BY_ITSELF, Condemned
from sensor.core.engine import Engine
from sensor.core.event import Event, Kind
from sensor.core.facts import Exit, Undone
from sensor.core.words import Enforcement

SIGKILL, SIGTERM, DUMPED = 9, 15, 0x80
POLICY = (
    'mode = "enforce"\n[[rule]]\nid = "no"\ntools = ["*"]\nverdict = "block"\nrunning = "kill"\n'
)
TOLD = Event(v=1, seq=7, boot_id="b", host="h", at="2026-11-23T14:03:07Z", at_ns=1, kind=Kind.EXEC)


def undone(pid: int) -> Undone:
    """Say that a process was not ended."""
    return Undone(at_ns=9 * SECOND, process=at(pid), why="so it is")


@pytest.mark.parametrize(
    ("status", "spared"),
    [
        (0, (TOLD, BY_ITSELF)),
        (SIGKILL << 8, (TOLD, BY_ITSELF)),  # exit(9)
        (SIGTERM, (TOLD, BY_ITSELF)),
        (SIGKILL, None),
        (SIGKILL | DUMPED, None),
    ],
)
def test_who_was_killed_has_the_status_of_it(status: int, spared: tuple[Event, str] | None) -> None:
    """Once its end is known there is nothing more to say."""
    book = Condemned()
    book.note(at(9), TOLD)
    assert book.spared(exit_(9, status=status)) == spared
    assert book.spared(undone(9)) is None


def test_an_end_that_nobody_has_seen_shows_nothing() -> None:
    """The report of who was to end it does."""
    book = Condemned()
    book.note(at(9), TOLD)
    assert book.spared(Exit(at_ns=1, process=at(9), root=at(9), status=None)) is None
    assert book.spared(undone(8)) is None
    assert book.spared(undone(9)) == (TOLD, "so it is")
    assert book.spared(exit_(9)) is None


def test_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is told of again is young again."""
    monkeypatch.setattr(condemned, "REMEMBERED", 2)
    book = Condemned()
    for pid in (8, 9, 8, 10):
        book.note(at(pid), TOLD)
    assert [pid for pid in (8, 9, 10) if book.spared(exit_(pid))] == [8, 10]


def test_a_kill_that_came_to_nothing_is_put_right() -> None:
    """By an event behind the one that it is about, and before the end itself; children too."""
    engine = Engine(CATALOGUE, StoryHost())
    list(engine.policy(enforced(POLICY), at_ns=1))
    told = events(engine, exec_(9, *CLAUDE), fork(9, 10), fork(9, 11))
    killed = [one for one in told if one.enforcement is Enforcement.KILL]
    assert [one.process.pid for one in killed if one.process] == [9, 10, 11]
    right, end = events(engine, exit_(9))
    assert (right.kind, right.enforcement) == (Kind.EXEC, Enforcement.NONE)
    assert right.reason == f"event {killed[0].seq} says kill: {BY_ITSELF}"
    assert (right.process, right.session) == (killed[0].process, killed[0].session)
    assert end.kind is Kind.EXIT
    assert events(engine, undone(9), exit_(10, root=9, status=SIGKILL), undone(10)) == []
    [right] = events(engine, undone(11))
    assert right.reason == f"event {killed[2].seq} says kill: so it is"
