# SPDX-License-Identifier: Apache-2.0
"""A policy that comes into force says something of what runs and is open already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.story import (
    CATALOGUE,
    CLAUDE,
    CODEX,
    GIT,
    SECOND,
    StoryHost,
    at,
    brief,
    connect,
    enforced,
    events,
    exec_,
    fork,
    play,
    resolved,
)

from sensor.core.actions import Record
from sensor.core.engine import Engine
from sensor.core.words import Enforcement, Kind, Verdict

if TYPE_CHECKING:
    from sensor.core.facts import Fact

IN_FORCE = "policy in_force 1"
BLOCK = '[[rule]]\nid = "no"\ntools = ["claude-code"]\nverdict = "block"\nmessage = "Use qwen."\n'
ENDING = f'{BLOCK}running = "kill"\n'
NAMES = '[[rule]]\nid = "names"\nendpoints = ["anthropic.com"]\nverdict = "block"\n'


@pytest.fixture
def engine() -> Engine:
    """Return an engine in which claude runs git, and codex within it, each with a connection."""
    engine = Engine(CATALOGUE, StoryHost())
    facts: list[Fact] = [
        exec_(9, *CLAUDE),
        resolved(9, "api.anthropic.com", "192.0.2.1"),
        connect(9, "192.0.2.1", cookie=1),
        fork(9, 10),
        exec_(10, *GIT, parent=at(9), root=9, tty=None),
        fork(9, 11),
        exec_(11, *CODEX, parent=at(9), root=9, tty=None),
        connect(11, "192.0.2.2", cookie=2),
    ]
    assert len(events(engine, *facts)) == 8
    return engine


def put(engine: Engine, text: str | None, *, generation: int = 1) -> list[str]:
    """Put a policy in force; say what this calls for."""
    policy = enforced(text, generation=generation) if text is not None else None
    return [brief(one) for one in engine.policy(policy, at_ns=99)]


def test_sessions_of_a_blocked_tool_lose_their_connections(engine: Engine) -> None:
    """Those of tools within it too; the processes go on. The person is told once."""
    assert put(engine, BLOCK) == [
        IN_FORCE,
        "connect claude-code 0 block destroy no",
        "notify 9 pts/3",
        "destroy 1 192.0.2.1:443",
        "connect codex 0 block destroy no",
        "destroy 2 192.0.2.2:443",
    ]


def test_they_are_ended_where_the_rule_says_so(engine: Engine) -> None:
    """Each process by an event of its own, also of the tools within."""
    ended = [
        f"exec {tool} {depth} block kill no"
        for tool, depth in (("claude-code", 0), ("claude-code", 1), ("codex", 0))
    ]
    told = put(engine, ENDING)
    assert told[6:] == [
        ended[0], "kill 9 no", ended[1], "kill 10 no", ended[2], "kill 11 no",
    ]  # fmt: skip
    play(
        engine,
        fork(10, 12, root=9),
        ["exec claude-code 1 block kill no", "kill 12 no"],
    )


def test_what_happens_to_what_runs_is_told_late(engine: Engine) -> None:
    """With the rule's words, and how it was done."""
    told = [
        one.event for one in engine.policy(enforced(ENDING), at_ns=99) if isinstance(one, Record)
    ]
    assert {event.late for event in told[1:]} == {True}
    assert {event.reason for event in told[1:]} == {"Use qwen."}
    assert {(event.kind, event.verdict, event.enforcement) for event in told[1:]} == {
        (Kind.CONNECT, Verdict.BLOCK, Enforcement.DESTROY),
        (Kind.EXEC, Verdict.BLOCK, Enforcement.KILL),
    }


def test_connections_are_judged_by_their_names(engine: Engine) -> None:
    """Those that no rule refuses go on."""
    assert put(engine, NAMES) == [
        IN_FORCE,
        "connect claude-code 0 block destroy names",
        "notify 9 pts/3",
        "destroy 1 192.0.2.1:443",
    ]


@pytest.mark.parametrize("mode", ["observe", "shadow"])
def test_nothing_is_done_in_a_lower_mode(engine: Engine, mode: str) -> None:
    """Policy is in force, and refuses nothing."""
    assert put(engine, f'mode = "{mode}"\n{ENDING}') == [IN_FORCE]


def test_a_session_that_is_not_blocked_any_more_may_go_on(engine: Engine) -> None:
    """What could not be ended in time is left alone by the next policy, or by none."""
    put(engine, ENDING)
    assert put(engine, "", generation=2) == ["policy in_force 2"]
    play(engine, fork(10, 12, root=9), [])
    put(engine, ENDING, generation=3)
    assert put(engine, None) == ["policy removed 0"]
    play(engine, fork(10, 13, root=9), [])


def test_what_an_exception_let_through_is_judged_once_it_has_ended(engine: Engine) -> None:
    """No policy is told: the one in force is the same."""
    exception = (
        '[[exception]]\nrule = "no"\nusers = ["alice"]\nticket = "T-1"\n'
        "expires = 2026-11-23T14:00:01Z\n"
    )
    assert put(engine, BLOCK + exception) == [IN_FORCE]
    assert [*engine.judge(at_ns=SECOND - 1)] == []
    assert [brief(one) for one in engine.judge(at_ns=SECOND)] == [
        "connect claude-code 0 block destroy no",
        "notify 9 pts/3",
        "destroy 1 192.0.2.1:443",
        "connect codex 0 block destroy no",
        "destroy 2 192.0.2.2:443",
    ]


def test_a_policy_says_what_it_is(engine: Engine) -> None:
    """Generation, file, number of rules and mode."""
    record = next(iter(engine.policy(enforced(f"{BLOCK}{NAMES}", generation=4), at_ns=99)))
    assert isinstance(record, Record)
    policy = record.event.policy
    assert policy
    assert (policy.generation, policy.source, policy.rules, policy.mode) == (
        4, "policy.toml", 2, "enforce",
    )  # fmt: skip


def test_the_first_policy_finds_nothing_on_an_idle_host() -> None:
    """It is told all the same."""
    engine = Engine(CATALOGUE, StoryHost())
    assert put(engine, BLOCK) == [IN_FORCE]
    play(engine, exec_(9, *CODEX), ["session_start codex", "exec codex 0"])
