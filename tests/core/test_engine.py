# SPDX-License-Identifier: Apache-2.0
"""Stories of what happens on a host, and what the engine makes of each fact."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.case_events import FOUND
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
from sensor.core.event import Kind, Verdict
from sensor.core.facts import Found
from sensor.core.sessions import NESTING


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


def test_an_end_that_nobody_saw_ends_the_session_too(engine: Engine) -> None:
    """How the process ended is not known then."""
    events(engine, exec_(9, *CLAUDE))
    assert engine.processes() == (at(9),)
    end, _ = events(engine, replace(exit_(9), status=None))
    assert end.process
    assert end.process.status is None
    assert (engine.processes(), engine.sessions) == ((), 0)


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
    """The kernel may have forgotten it just after it did, so it is told to follow it again."""
    play(
        engine,
        exec_(9, *GOOSE),
        ["release 9"],
        exec_(9, *CLAUDE),
        ["follow 9 of 9", *START],
        exec_(9, *CLAUDE),
        ["exec claude-code 0"],
    )


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


def test_a_session_runs_until_it_has_ended(engine: Engine) -> None:
    """One within another, both; one that never was, not."""
    outer, _ = events(engine, exec_(9, *CLAUDE))
    inner, _ = events(engine, exec_(10, *CODEX, parent=at(9), root=9))
    running = [str(outer.session), str(inner.session), "uimgkfb4"]
    assert [engine.runs(one) for one in running] == [True, True, False]
    events(engine, exit_(10))
    assert [engine.runs(one) for one in running] == [True, False, False]


def test_what_an_audit_found_is_told_beside_all_sessions(engine: Engine) -> None:
    """It begins none, and ends none."""
    assert FOUND.inventory
    fact = Found(at_ns=5, tool="codex", vendor="openai", inventory=FOUND.inventory)
    told = events(engine, exec_(10, *CLAUDE), fact)
    assert [one.kind for one in told] == [Kind.SESSION_START, Kind.EXEC, Kind.INVENTORY]
    assert (told[2].session, told[2].inventory) == (None, FOUND.inventory)
    assert engine.sessions == 1
