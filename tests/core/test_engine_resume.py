# SPDX-License-Identifier: Apache-2.0
"""A run of the sensor goes on where another one ended: same sessions, nothing told twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.story import (
    CATALOGUE,
    CLAUDE,
    CODEX,
    END,
    GIT,
    SECOND,
    START,
    StoryHost,
    at,
    brief,
    connect,
    events,
    exec_,
    exit_,
    fork,
    play,
)

from sensor.core.engine import Engine
from sensor.core.event import Event, Kind

BOTH = (exec_(9, *CLAUDE), fork(9, 12), exec_(12, *CODEX, parent=at(9), root=9))


def began(*facts: object) -> list[Event]:
    """Return the beginnings of sessions that a run before has told of."""
    told = events(Engine(CATALOGUE, StoryHost()), *facts)  # type: ignore[arg-type]
    return [event for event in told if event.kind is Kind.SESSION_START]


@pytest.fixture
def engine() -> Engine:
    """Return an engine that has taken up a session of claude."""
    engine = Engine(CATALOGUE, StoryHost(), first_seq=100)
    for event in began(exec_(9, *CLAUDE)):
        engine.resume(event)
    return engine


def test_a_session_goes_on(engine: Engine) -> None:
    """What was told is not told again; what happens now is."""
    play(
        engine,
        exec_(9, *CLAUDE, late=True),
        ["follow 9 of 9"],
        connect(9, "192.0.2.1"),
        ["connect claude-code 0"],
        exit_(9),
        END,
    )


def test_the_roots_of_sessions_are_named(engine: Engine) -> None:
    """Whoever looks for them in /proc knows them by these."""
    assert engine.roots() == (at(9),)


def test_a_session_keeps_its_id_and_its_start(engine: Engine) -> None:
    """Its end says how long all of it was."""
    (start,) = began(exec_(9, *CLAUDE))
    *_, end = events(engine, exec_(9, *CLAUDE, late=True), exit_(9))
    assert (end.session, end.seq) == (start.session, 101)
    assert end.duration_ns == exit_(9).at_ns - start.at_ns


def test_a_daemon_goes_on_without_its_tool(engine: Engine) -> None:
    """What is left of a session belongs to it, by the kernel's word."""
    play(
        engine,
        exec_(12, *GIT, parent=at(1), root=9, late=True),
        ["follow 12 of 9"],
        exit_(12, root=9),
        ["exit claude-code None", "session_end claude-code"],
    )


def test_a_session_that_ended_unseen_is_ended(engine: Engine) -> None:
    """Once what runs has been looked at, nobody is in it."""
    assert [brief(action) for action in engine.settle(20 * SECOND)] == ["session_end claude-code"]
    assert engine.sessions == 0
    assert not list(engine.settle(21 * SECOND))


def test_a_session_in_which_somebody_is_goes_on(engine: Engine) -> None:
    """Settling ends none of those."""
    assert events(engine, exec_(9, *CLAUDE, late=True)) == []
    assert not list(engine.settle(20 * SECOND))


def test_sessions_within_sessions_end_from_the_inside() -> None:
    """The outer one was waiting for the inner one."""
    engine = Engine(CATALOGUE, StoryHost())
    for event in began(*BOTH):
        engine.resume(event)
    told = [brief(action) for action in engine.settle(20 * SECOND)]
    assert told == ["session_end codex", "session_end claude-code"]


def test_the_next_session_of_a_tool_is_new(engine: Engine) -> None:
    """Only the one that was taken up is told in part."""
    play(engine, exec_(30, *CLAUDE), START, exit_(30), END)


(STARTED,) = began(exec_(9, *CLAUDE))


@pytest.mark.parametrize(
    "start",
    [
        replace(STARTED, tool="forgotten"),
        replace(STARTED, tool=None),
        replace(STARTED, process=None),
        replace(STARTED, session=None),
    ],
)
def test_what_is_no_beginning_of_a_known_tool_is_left_out(start: Event) -> None:
    """A newer catalogue may not have the tool any more."""
    engine = Engine(CATALOGUE, StoryHost())
    engine.resume(start)
    assert engine.sessions == 0


def test_a_session_found_late_keeps_its_start() -> None:
    """It is that of the process."""
    engine = Engine(CATALOGUE, StoryHost())
    (start,) = began(exec_(9, *CLAUDE, late=True))
    engine.resume(start)
    (end,) = [action.event for action in engine.settle(20 * SECOND)]  # type: ignore[union-attr]
    assert end.duration_ns == 20 * SECOND - at(9).started_ns


SLEEP = ("/usr/bin/sleep", "1")
SHOWN_NS = 30 * SECOND


def test_a_child_that_was_found_first_is_no_deeper_for_its_record(engine: Engine) -> None:
    """/proc and the kernel tell of one image, not of one below the other."""
    play(
        engine,
        exec_(9, *CLAUDE, late=True, after_ns=SHOWN_NS),
        ["follow 9 of 9"],
        exec_(12, *SLEEP, parent=at(9), root=9, late=True, after_ns=SHOWN_NS),
        ["follow 12 of 9"],
        exec_(12, *SLEEP, parent=at(9), root=9),
        ["exec claude-code 1"],
        exit_(12, root=9),
        ["exit claude-code 1"],
    )


def test_what_a_child_ran_before_it_was_found_is_told_in_steps(engine: Engine) -> None:
    """A shell that became the program is one image more; /proc shows the last alone."""
    play(
        engine,
        exec_(9, *CLAUDE, late=True, after_ns=SHOWN_NS),
        ["follow 9 of 9"],
        exec_(12, *SLEEP, parent=at(9), root=9, late=True, after_ns=SHOWN_NS),
        ["follow 12 of 9"],
        fork(9, 12),
        [],
        exec_(12, "/bin/sh", parent=at(9), root=9),
        ["exec claude-code 1"],
        exec_(12, *SLEEP, parent=at(9), root=9),
        ["exec claude-code 2"],
    )


def test_what_a_child_runs_after_it_was_found_is_below_it(engine: Engine) -> None:
    """Its past is over then."""
    play(
        engine,
        exec_(9, *CLAUDE, late=True, after_ns=SHOWN_NS),
        ["follow 9 of 9"],
        exec_(12, "/bin/sh", parent=at(9), root=9, late=True, after_ns=SHOWN_NS),
        ["follow 12 of 9"],
        exec_(12, *SLEEP, parent=at(9), root=9, after_ns=SHOWN_NS + 1),
        ["exec claude-code 2"],
    )


def test_a_fork_that_was_found_first_is_as_deep_as_its_parent(engine: Engine) -> None:
    """A subshell runs no image of its own, whatever /proc shows first."""
    play(
        engine,
        exec_(9, *CLAUDE, late=True, after_ns=SHOWN_NS),
        ["follow 9 of 9"],
        exec_(12, "/bin/sh", parent=at(9), root=9, late=True, after_ns=SHOWN_NS),
        ["follow 12 of 9"],
        exec_(13, "/bin/sh", parent=at(12), root=9, late=True, after_ns=SHOWN_NS),
        ["follow 13 of 9"],
        fork(12, 13, root=9),
        [],
        connect(13, "192.0.2.1", root=9),
        ["connect claude-code 1"],
    )


def test_a_tool_within_a_tool_goes_on_with_its_own_session() -> None:
    """It is not begun once more, and what it ran before it was that tool ends none."""
    engine = Engine(CATALOGUE, StoryHost(), first_seq=100)
    for event in began(*BOTH):
        engine.resume(event)
    play(
        engine,
        exec_(9, *CLAUDE, late=True, after_ns=SHOWN_NS),
        ["follow 9 of 9"],
        exec_(12, *CODEX, parent=at(9), root=9, late=True, after_ns=SHOWN_NS),
        ["follow 12 of 12"],
        exec_(12, "/bin/sh", parent=at(9), root=9),
        ["exec codex 1"],
        exec_(12, *CODEX, parent=at(9), root=9),
        ["exec codex 0"],
    )
