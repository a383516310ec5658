# SPDX-License-Identifier: Apache-2.0
"""Stories of what happens on a host, and what the engine makes of each fact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.story import (
    CATALOGUE,
    SECOND,
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
from sensor.core.event import Kind, Verdict
from sensor.core.facts import Damaged, Fact, Loss, Transport
from sensor.core.sessions import NESTING

CLAUDE = ("/opt/bin/claude", "-p", "fix it")
CODEX = ("/opt/bin/codex",)
GIT = ("/usr/bin/git", "status")
GOOSE = ("/usr/bin/goose", "up")
START = ["session_start claude-code", "exec claude-code 0"]
END = ["exit claude-code 0", "session_end claude-code"]


@pytest.fixture
def engine() -> Engine:
    """Return an engine that has seen nothing."""
    return Engine(CATALOGUE, StoryHost())


def test_a_tool_runs_and_ends(engine: Engine) -> None:
    """A session is told before its first exec and after its last exit."""
    play(
        engine,
        exec_(9, *CLAUDE),
        START,
        resolved(9, "api.anthropic.com", "192.0.2.1"),
        ["resolve claude-code 0"],
        connect(9, "192.0.2.1"),
        ["connect claude-code 0"],
        close(9, "192.0.2.1"),
        ["close claude-code 0"],
        exit_(9),
        END,
    )


def test_events_of_a_session_share_its_id(engine: Engine) -> None:
    """The next run of the same tool has another."""
    told = events(engine, exec_(9, *CLAUDE), connect(9, "192.0.2.1"), exit_(9))
    assert len({event.session for event in told}) == 1
    (again, _) = events(engine, exec_(10, *CLAUDE))
    assert again.session not in {None, told[0].session}


def test_a_connection_has_the_name_that_was_asked_for(engine: Engine) -> None:
    """Also at its close, when the name may mean another address."""
    _, _, _, opened, _, closed = events(
        engine,
        exec_(9, *CLAUDE),
        resolved(9, "api.anthropic.com", "192.0.2.1"),
        connect(9, "192.0.2.1"),
        resolved(9, "example.com", "192.0.2.1"),
        close(9, "192.0.2.1"),
    )
    assert opened.destination
    assert opened.destination.name == "api.anthropic.com"
    assert closed.destination == opened.destination


def test_an_ordinary_candidate_is_released(engine: Engine) -> None:
    """The kernel took ``goose`` for a tool; here it migrates a database."""
    play(engine, exec_(9, *GOOSE), ["release 9"])


def test_what_a_released_process_still_did_is_nobodys(engine: Engine) -> None:
    """The kernel had recorded it before it was told to forget."""
    play(
        engine,
        exec_(9, *GOOSE),
        ["release 9"],
        fork(9, 10),
        ["release 10"],
        fork(10, 11, root=9),
        ["release 11"],
        exec_(10, *GIT, parent=at(9), root=9),
        ["release 10"],
        connect(9, "192.0.2.1"),
        [],
        exit_(9),
        [],
    )


def test_a_released_process_can_become_a_tool(engine: Engine) -> None:
    """What a process was says nothing about what it runs next."""
    play(engine, exec_(9, *GOOSE), ["release 9"], exec_(9, *CLAUDE), START, exit_(9), END)


def test_depth_counts_images_not_forks(engine: Engine) -> None:
    """A shell that forks before it runs git is one image away from the tool."""
    play(
        engine,
        exec_(9, *CLAUDE),
        START,
        fork(9, 10),
        [],
        exec_(10, "/bin/sh", parent=at(9), root=9),
        ["exec claude-code 1"],
        fork(10, 11, root=9),
        [],
        fork(11, 12, root=9),
        [],
        exec_(12, *GIT, parent=at(11), root=9),
        ["exec claude-code 2"],
        connect(12, "192.0.2.1", root=9),
        ["connect claude-code 2"],
    )


def test_an_ordinary_program_in_the_tool_s_place_is_below_it(engine: Engine) -> None:
    """``exec git`` from the tool itself is still something that the tool ran."""
    play(engine, exec_(9, *CLAUDE), START, exec_(9, *GIT), ["exec claude-code 1"])


def test_a_tool_that_runs_itself_again_stays_in_its_session(engine: Engine) -> None:
    """``#!/usr/bin/env node`` is two images; gemini and qwen start node once more."""
    script = ("/usr/bin/node", "/usr/bin/codex")
    start = exec_(
        9,
        *("/usr/bin/env", "node", "/usr/bin/codex"),
        typed="/usr/bin/codex",
        interpreter="/usr/bin/env",
    )
    play(
        engine,
        start,
        ["session_start codex", "exec codex 0"],
        exec_(9, *script, after_ns=2000),
        ["exec codex 0"],
        fork(9, 10),
        [],
        exec_(10, *script, parent=at(9), root=9),
        ["exec codex 0"],
        exit_(10, root=9),
        ["exit codex 0"],
        exit_(9),
        ["exit codex 0", "session_end codex"],
    )


def test_a_daemon_keeps_its_session_open(engine: Engine) -> None:
    """Who its parent is by now does not matter."""
    play(
        engine,
        exec_(9, *CLAUDE),
        START,
        fork(9, 10),
        [],
        exit_(9),
        ["exit claude-code 0"],
        exec_(10, *GIT, parent=at(1), root=9),
        ["exec claude-code 1"],
        exit_(10, root=9),
        ["exit claude-code 1", "session_end claude-code"],
    )


def test_the_end_of_a_mere_fork_is_no_event(engine: Engine) -> None:
    """Nobody was told of its beginning either; it counts as a process all the same."""
    play(engine, exec_(9, *CLAUDE), START, fork(9, 10), [], exit_(10, root=9), [])
    *_, ended = events(engine, exit_(9))
    assert (ended.kind, ended.processes, ended.duration_ns) == (
        Kind.SESSION_END,
        2,
        3 * SECOND - 1000,
    )


def test_a_tool_within_a_tool_has_a_session_within_the_session(engine: Engine) -> None:
    """The kernel is told where the inner one begins; the outer one outlasts it."""
    play(
        engine,
        exec_(9, *CLAUDE),
        START,
        fork(9, 10),
        [],
        exec_(10, *CODEX, parent=at(9), root=9),
        ["follow 10 of 10", "session_start codex", "exec codex 0"],
        exit_(9),
        ["exit claude-code 0"],
        exit_(10, root=10),
        ["exit codex 0", "session_end codex", "session_end claude-code"],
    )


def test_the_inner_session_names_the_outer_one(engine: Engine) -> None:
    """Whoever reads of Codex sees that Claude started it."""
    outer, _ = events(engine, exec_(9, *CLAUDE))
    inner, ran = events(engine, exec_(10, *CODEX, parent=at(9), root=9))
    assert inner.parent_session == outer.session != inner.session
    assert ran.verdict is Verdict.ALERT


def test_a_process_can_turn_into_another_tool_and_back(engine: Engine) -> None:
    """The kernel's root stays the process; the sessions end as it leaves them."""
    play(
        engine,
        exec_(9, *CLAUDE),
        START,
        exec_(9, *CODEX),
        ["session_start codex", "exec codex 0"],
        exec_(9, *CLAUDE),
        ["session_end codex", "exec claude-code 0"],
        exit_(9),
        END,
    )


def test_a_long_chain_of_tools_lets_go_of_its_beginning(engine: Engine) -> None:
    """Beyond so many levels a session begins without an outer one, which then can end."""
    ended: list[str] = []
    for pid in range(9, 9 + NESTING + 1):
        argv = CODEX if pid % 2 else CLAUDE
        *_, exit_told = events(engine, exec_(pid, *argv, parent=at(pid - 1)), exit_(pid - 1))
        ended += [exit_told.kind.value] if exit_told.kind is Kind.SESSION_END else []
    assert ended == ["session_end"]


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


# Few processes, so that every fact meets what others left behind.
PIDS = st.integers(1, 6)
ARGV = st.sampled_from([CLAUDE, CODEX, GIT, GOOSE])
HOSTS = st.sampled_from(["192.0.2.1", "198.51.100.7", "2001:db8::1"])
FACTS: st.SearchStrategy[Fact] = st.one_of(
    st.builds(
        lambda pid, argv, parent, root, late: exec_(
            pid, *argv, parent=at(parent), root=root, late=late
        ),
        PIDS,
        ARGV,
        PIDS,
        PIDS,
        st.booleans(),
    ),
    st.builds(lambda parent, child, root: fork(parent, child, root=root), PIDS, PIDS, PIDS),
    st.builds(lambda pid, root: exit_(pid, root=root), PIDS, PIDS),
    st.builds(
        lambda pid, to, cookie, late: connect(pid, to, cookie=cookie, root=pid, late=late),
        PIDS,
        HOSTS,
        st.integers(1, 3),
        st.booleans(),
    ),
    st.builds(close, PIDS, HOSTS),
    st.builds(resolved, PIDS, st.text(), HOSTS),
    st.builds(Loss, at_ns=st.integers(0), what=st.text(), count=st.integers(1)),
    st.builds(Damaged, at_ns=st.integers(0), why=st.text()),
)


@given(st.lists(FACTS, max_size=60), st.integers(1, 4))
def test_every_order_of_facts_is_survived(story: list[Fact], limit: int) -> None:
    """Events are numbered without holes, and a session is over once it has ended."""
    engine = Engine(CATALOGUE, StoryHost(), limit=limit)
    told = events(engine, *story)
    assert [event.seq for event in told] == list(range(1, len(told) + 1))
    running: set[str | None] = {None}
    for event in told:
        assert event.line.isprintable()
        if event.kind is Kind.SESSION_START:
            running.add(event.session)
        assert event.session in running or event.kind is Kind.CLOSE
        if event.kind is Kind.SESSION_END:
            running.remove(event.session)


@given(st.lists(FACTS, max_size=60), st.integers(1, 4))
def test_no_order_of_facts_fills_the_memory(story: list[Fact], limit: int) -> None:
    """There are never more processes than allowed, nor more sessions than they can be in."""
    engine = Engine(CATALOGUE, StoryHost(), limit=limit)
    for fact in story:
        for _ in engine.see(fact):
            pass
        assert engine.members <= limit
        assert engine.sessions <= limit * NESTING


@given(st.lists(FACTS, max_size=60))
def test_all_sessions_end_with_their_processes(story: list[Fact]) -> None:
    """Once every process has ended, nothing is left open."""
    engine = Engine(CATALOGUE, StoryHost())
    events(engine, *story, *(exit_(pid) for pid in range(1, 7)))
    assert (engine.members, engine.sessions) == (0, 0)
