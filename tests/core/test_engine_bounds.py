# SPDX-License-Identifier: Apache-2.0
"""Records get lost, come late or in any order: the engine says so, and goes on."""

from __future__ import annotations

import pytest
from support.story import (
    CATALOGUE,
    CLAUDE,
    CODEX,
    END,
    GIT,
    GOOSE,
    SECOND,
    START,
    StoryHost,
    at,
    close,
    connect,
    events,
    exec_,
    exit_,
    fork,
    play,
    resolved,
)

from sensor.core.engine import Engine
from sensor.core.facts import Damaged, Loss, Transport


@pytest.fixture
def engine() -> Engine:
    """Return an engine that has seen nothing."""
    return Engine(CATALOGUE, StoryHost())


def test_a_fork_whose_record_was_lost_is_placed_by_its_exec(engine: Engine) -> None:
    """The exec names the parent."""
    play(
        engine,
        exec_(9, *CLAUDE),
        START,
        exec_(10, *GIT, parent=at(9), root=9),
        ["exec claude-code 1"],
    )


def test_a_process_of_lost_beginnings_is_placed_by_the_kernel_s_root(engine: Engine) -> None:
    """How deep it is cannot be known."""
    play(
        engine,
        exec_(9, *CLAUDE),
        START,
        exec_(12, *GIT, parent=at(11), root=9),
        ["exec claude-code None"],
        connect(13, "192.0.2.1", root=9),
        ["connect claude-code None"],
        fork(14, 15, root=9),
        [],
        exec_(15, *GIT, parent=at(14), root=9),
        ["exec claude-code None"],
        exit_(9),
        ["exit claude-code 0"],
    )


def test_the_connections_of_a_process_that_nobody_knows_are_counted(engine: Engine) -> None:
    """They are told as a loss, at most once a second; what follows from them is not."""
    play(
        engine,
        resolved(9, "example.com"),
        [],
        connect(9, "192.0.2.1"),
        ["loss 1 unplaced"],
        connect(9, "192.0.2.1"),
        [],
        connect(9, "192.0.2.1"),
        [],
        close(9, "192.0.2.1"),
        ["loss 2 unplaced"],
        fork(9, 10),
        [],
        exit_(10),
        [],
    )


def test_a_connection_can_outlive_its_process(engine: Engine) -> None:
    """The kernel closes what a process leaves open after it has ended, and its session with it."""
    play(
        engine,
        exec_(9, *CLAUDE),
        START,
        connect(9, "192.0.2.1", cookie=5),
        ["connect claude-code 0"],
        exit_(9),
        END,
        close(9, "192.0.2.1", cookie=5),
        ["close claude-code 0"],
        close(9, "192.0.2.1", cookie=5),
        [],
    )


def test_what_comes_after_a_process_does_not_bring_it_back(engine: Engine) -> None:
    """An answer or a close can be late; a session is not kept open for the dead."""
    play(
        engine,
        exec_(9, *CLAUDE),
        START,
        fork(9, 10),
        [],
        exit_(10, root=9),
        [],
        resolved(10, "example.com", root=9),
        ["resolve claude-code None"],
        close(10, "192.0.2.1", cookie=5, root=9),
        ["close claude-code None"],
        exit_(9),
        END,
    )


def test_a_connection_of_another_protocol_is_not_kept(engine: Engine) -> None:
    """Only TCP has an end that the kernel tells."""
    (*_, sent) = events(engine, exec_(9, *CLAUDE), connect(9, "192.0.2.1", transport=Transport.UDP))
    assert sent.destination
    assert sent.destination.transport == "udp"
    assert len(events(engine, connect(9, "192.0.2.1", late=True))) == 1


def test_losses_are_told(engine: Engine) -> None:
    """What the kernel could not tell, and what could not be read."""
    play(
        engine,
        Loss(at_ns=5, what="exec", count=3),
        ["loss 3 exec"],
        Damaged(at_ns=6, why="12 bytes"),
        ["loss 1 record"],
    )


def test_a_tool_that_ran_before_the_sensor_is_found_late(engine: Engine) -> None:
    """The kernel is told to follow it; its session is as old as its process."""
    play(
        engine,
        exec_(9, *CLAUDE, late=True),
        ["follow 9 of 9", *START],
        exec_(10, *GIT, parent=at(9), root=10, late=True),
        ["follow 10 of 9", "exec claude-code 1"],
        exec_(11, *GIT, late=True),
        [],
        connect(9, "192.0.2.1", late=True),
        ["connect claude-code 0"],
        connect(11, "192.0.2.1", late=True),
        [],
        exit_(10, root=9),
        ["exit claude-code 1"],
    )
    *_, ended = events(engine, exit_(9))
    assert ended.duration_ns == 3 * SECOND


def test_late_facts_are_marked(engine: Engine) -> None:
    """An event that was not seen as it happened says so."""
    told = events(engine, exec_(9, *CLAUDE, late=True), connect(9, "192.0.2.1", late=True))
    assert [event.late for event in told] == [True, True, True]


def test_what_a_record_told_is_not_told_again_late(engine: Engine) -> None:
    """Neither a member, nor a stranger, nor an open connection."""
    play(
        engine,
        exec_(9, *CLAUDE),
        START,
        exec_(9, *CLAUDE, late=True),
        [],
        connect(9, "192.0.2.1", cookie=5),
        ["connect claude-code 0"],
        connect(9, "192.0.2.1", cookie=5, late=True),
        [],
        exec_(10, *GOOSE),
        ["release 10"],
        exec_(10, *CLAUDE, late=True),
        [],
        fork(9, 12),
        [],
        fork(9, 12),
        [],
    )


def test_a_full_table_forgets_its_oldest_and_says_so() -> None:
    """The forgotten one's session ends if nobody else is in it."""
    play(
        Engine(CATALOGUE, StoryHost(), limit=2),
        exec_(9, *CLAUDE),
        START,
        exec_(10, *CODEX),
        ["session_start codex", "exec codex 0"],
        fork(10, 11),
        ["session_end claude-code", "loss 1 member"],
        connect(9, "192.0.2.1"),
        ["loss 1 unplaced"],
    )


def test_a_forgotten_process_of_a_known_session_is_taken_in_again() -> None:
    """The kernel's root leads back."""
    play(
        Engine(CATALOGUE, StoryHost(), limit=1),
        exec_(9, *CLAUDE),
        START,
        fork(9, 10),
        ["loss 1 member"],
        connect(9, "192.0.2.1"),
        ["connect claude-code None"],
    )
