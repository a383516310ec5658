# SPDX-License-Identifier: Apache-2.0
"""What policy says of executions: refused by the kernel, ended by us, or told and let go on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.story import (
    CATALOGUE,
    CLAUDE,
    CODEX,
    END,
    GIT,
    START,
    StoryHost,
    at,
    brief,
    connect,
    enforced,
    events,
    exec_,
    exit_,
    fork,
    play,
    ruling,
)

from sensor.core.actions import Follow
from sensor.core.engine import Engine
from sensor.core.facts import RULE_CANARY, RULE_FULL, Process
from sensor.core.sessions import NESTING
from sensor.core.words import Enforcement, Verdict

if TYPE_CHECKING:
    from sensor.core.actions import Action

LSM = ruling(Verdict.BLOCK, Enforcement.LSM)
KILL = ruling(Verdict.BLOCK, Enforcement.KILL)
BLOCK = 'mode = "enforce"\n[[rule]]\nid = "no"\ntools = ["claude-code"]\nverdict = "block"\n'
ENDING = f'{BLOCK}running = "kill"\n'
CLAUDE_INDEX, CODEX_INDEX = (CATALOGUE.index_of(name) for name in ("claude-code", "codex"))


def engine_with(text: str = BLOCK) -> Engine:
    """Return an engine that goes by a policy."""
    engine = Engine(CATALOGUE, StoryHost())
    assert [brief(one) for one in engine.policy(enforced(text), at_ns=1)] == ["policy in_force 1"]
    return engine


@pytest.fixture
def engine() -> Engine:
    """Return an engine that goes by a policy that blocks claude."""
    return engine_with()


@pytest.mark.parametrize(("said", "word"), [(LSM, "lsm"), (KILL, "kill")])
def test_a_refused_tool_begins_no_session(engine: Engine, said: object, word: str) -> None:
    """The person is told; whoever started it goes on, or has ended without a trace."""
    fact = exec_(9, *CLAUDE, ruled=said, refused=word == "lsm", tool=CLAUDE_INDEX)  # type: ignore[arg-type]
    play(
        engine,
        fact,
        [f"exec claude-code None block {word} no", "notify 9 pts/3"],
        exit_(9),
        [],
    )
    assert (engine.members, engine.sessions) == (0, 0)


def test_a_refused_tool_within_a_session_is_told_as_that_session_s(engine: Engine) -> None:
    """The tool is the one that was refused; the process goes on in its session as it was."""
    start, *_ = events(engine, exec_(9, *CODEX))
    refused, _ = events(
        engine,
        exec_(9, *CLAUDE, ruled=LSM, refused=True, tool=CLAUDE_INDEX),
        connect(9, "192.0.2.1"),
    )
    assert (refused.tool, refused.session, refused.depth) == ("claude-code", start.session, 1)
    play(engine, exit_(9), ["exit codex 0", "session_end codex"])


def test_a_child_that_is_refused_is_placed_by_its_parent(engine: Engine) -> None:
    """Also where its fork was lost."""
    play(
        engine,
        exec_(9, *CODEX),
        ["session_start codex", "exec codex 0"],
        exec_(10, *CLAUDE, parent=at(9), root=9, ruled=KILL, tool=CLAUDE_INDEX, tty=None),
        ["exec claude-code 1 block kill no"],
    )


def test_the_kernel_names_what_it_refused(engine: Engine) -> None:
    """At that moment arguments cannot be read, so that user space would find no tool."""
    play(
        engine,
        exec_(9, "/usr/bin/node", tty=None, ruled=LSM, refused=True, tool=CODEX_INDEX),
        ["exec codex None block lsm no"],
    )
    [event] = events(engine, exec_(9, "/usr/bin/node", ruled=LSM, refused=True))
    assert (event.tool, event.vendor, event.confidence) == (None, None, None)


def test_a_refusal_of_unknown_reason_is_told_all_the_same(engine: Engine) -> None:
    """The flag alone says that the image did not run."""
    [event] = events(engine, exec_(9, *CLAUDE, refused=True))
    assert (event.verdict, event.enforcement, event.rule) == (Verdict.BLOCK, Enforcement.LSM, None)
    assert event.reason == "the record does not say by which rule"


def test_no_room_to_follow_can_refuse(engine: Engine) -> None:
    """Where a rule fails closed."""
    full = ruling(Verdict.BLOCK, Enforcement.KILL, rule=RULE_FULL)
    play(
        engine,
        exec_(9, *GIT, ruled=full, tty=None),
        ["exec None None block kill full"],
    )


def test_the_canary_is_no_event(engine: Engine) -> None:
    """That it was refused is told to whoever started it."""
    canary = ruling(Verdict.BLOCK, Enforcement.LSM, rule=RULE_CANARY)
    play(engine, exec_(9, *CLAUDE, ruled=canary, refused=True), [])


@pytest.mark.parametrize("verdict", [Verdict.WOULD_BLOCK, Verdict.ALERT, Verdict.ALLOW])
def test_what_is_not_refused_runs_with_its_verdict(engine: Engine, verdict: Verdict) -> None:
    """The session begins as ever; its start has no verdict of its own."""
    start, ran = events(engine, exec_(9, *CLAUDE, ruled=ruling(verdict)))
    assert (start.kind.value, start.verdict, start.enforcement) == ("session_start", None, None)
    assert (ran.verdict, ran.rule, ran.enforcement) == (verdict, "no", Enforcement.NONE)


def test_a_block_that_could_not_be_carried_out_is_no_refusal(engine: Engine) -> None:
    """It runs, and the event says that nothing was done."""
    play(engine, exec_(9, *CLAUDE, ruled=ruling(Verdict.BLOCK)), [START[0], f"{START[1]} block no"])


def test_what_only_user_space_recognises_is_ended(engine: Engine) -> None:
    """A new start by a mark of which the kernel alone is not sure; what it forked goes too."""
    play(
        engine,
        exec_(9, *CLAUDE, unsure=True),
        [START[0], f"{START[1]} block kill no", "notify 9 pts/3", "kill 9 no"],
        fork(9, 10),
        ["exec claude-code 0 block kill no", "kill 10 no"],
        exec_(10, *GIT, parent=at(9), root=9),
        ["exec claude-code 1 block kill no", "kill 10 no"],
        exit_(10, root=9, status=9),
        ["exit claude-code 1"],
        exit_(9, status=9),
        END,
    )


def test_an_unsure_tool_that_policy_lets_run_has_policy_s_verdict() -> None:
    """In shadow mode it would have been ended."""
    engine = engine_with(BLOCK.replace("enforce", "shadow"))
    play(engine, exec_(9, *CLAUDE, unsure=True), [START[0], f"{START[1]} would_block no"])


def test_an_unsure_restart_of_what_runs_ends_that_process_alone() -> None:
    """The session has been running; its rule leaves it that."""
    known = Engine(CATALOGUE, StoryHost())
    play(known, exec_(9, *CLAUDE), START, fork(9, 10), [])
    assert [brief(one) for one in known.policy(enforced(BLOCK), at_ns=1)] == ["policy in_force 1"]
    play(
        known,
        exec_(10, *CLAUDE, parent=at(9), root=9, unsure=True, tty=None),
        [f"{START[1]} block kill no", "kill 10 no"],
        fork(9, 11),
        [],
    )


def test_a_tool_that_ran_before_is_cut_off(engine: Engine) -> None:
    """The kernel refuses what it reaches from now on; the event says that it runs."""
    play(
        engine,
        exec_(9, *CLAUDE, late=True),
        ["follow 9 of 9", START[0], f"{START[1]} block no"],
    )
    _, told = events(engine, exec_(19, *CLAUDE, late=True))
    assert (told.late, told.enforcement, told.reason) == (
        True, Enforcement.NONE, "it ran already: from now on its connections are refused",
    )  # fmt: skip


def test_a_default_that_blocks_leaves_what_runs_alone() -> None:
    """It is about what starts: no rule refuses what a session of the tool reaches."""
    engine = engine_with('[defaults]\ntool = "block"\n')
    _, told = events(engine, exec_(9, *CLAUDE, late=True))
    assert (told.verdict, told.enforcement, told.rule) == (
        Verdict.BLOCK, Enforcement.NONE, "default",
    )  # fmt: skip
    assert told.reason == "it ran already, and the default is for what starts"
    play(engine, connect(9, "192.0.2.1", late=True), ["connect claude-code 0"])


def test_a_tool_that_ran_before_is_ended_where_its_rule_says_so() -> None:
    """With all that it has started."""
    play(
        engine_with(ENDING),
        exec_(9, *CLAUDE, late=True, tty=None),
        ["follow 9 of 9", START[0], f"{START[1]} block kill no", "kill 9 no"],
        exec_(10, *GIT, parent=at(9), root=10, late=True, tty=None),
        ["follow 10 of 9", "exec claude-code 1 block kill no", "kill 10 no"],
    )


def test_a_session_of_a_run_before_is_ended_too() -> None:
    """Its start was told by that run, its end is news."""
    start, _ = events(Engine(CATALOGUE, StoryHost()), exec_(9, *CLAUDE))
    engine = engine_with(ENDING)
    engine.resume(start)
    play(
        engine,
        exec_(9, *CLAUDE, late=True, tty=None),
        ["follow 9 of 9", f"{START[1]} block kill no", "kill 9 no"],
    )


def follows(actions: list[Action]) -> list[Follow]:
    """Return what the kernel is to be told."""
    return [one for one in actions if isinstance(one, Follow)]


def see(engine: Engine, *facts: object) -> list[Follow]:
    """Return what the kernel is to be told after the last of some facts."""
    actions: list[Action] = []
    for fact in facts:
        actions = list(engine.see(fact))  # type: ignore[arg-type]
    return follows(actions)


def test_the_kernel_learns_in_whose_sessions_a_process_is(engine: Engine) -> None:
    """Where it does not have the tools that user space found, with the file of the innermost."""
    assert see(engine, exec_(9, *CLAUDE, tools=())) == [
        Follow(at(9), at(9), (CLAUDE_INDEX,), CLAUDE[0])
    ]
    assert see(engine, fork(9, 10, tools=())) == [Follow(at(10), at(9), (CLAUDE_INDEX,), CLAUDE[0])]
    both = (CLAUDE_INDEX, CODEX_INDEX)
    inner = exec_(10, *CODEX, parent=at(9), root=9, tools=(CLAUDE_INDEX,))
    assert see(engine, inner) == [Follow(at(10), at(10), both, CODEX[0])]
    lost = fork(11, 12, root=9, tools=())
    assert see(engine, lost) == [Follow(at(12), at(9), (CLAUDE_INDEX,), CLAUDE[0])]


def test_what_the_kernel_has_right_is_not_said_again(engine: Engine) -> None:
    """Neither of the tool, nor of what it starts, nor of its children."""
    mine = (CLAUDE_INDEX,)
    assert see(engine, exec_(9, *CLAUDE, tools=mine)) == []
    assert see(engine, fork(9, 10, tools=mine)) == []
    assert see(engine, exec_(10, *GIT, parent=at(9), root=9, tools=mine)) == []


def test_of_many_tools_the_innermost_takes_the_last_place(engine: Engine) -> None:
    """Also where a session begins without an outer one, for being too deep within others."""
    tools: list[tuple[int, ...]] = []
    for pid in range(9, 9 + NESTING + 2):
        argv = CODEX if pid % 2 else CLAUDE
        found = see(engine, exec_(pid, *argv, parent=at(pid - 1), root=pid, tools=()))
        tools.append(found[0].tools)
    one, other = CODEX_INDEX, CLAUDE_INDEX
    assert tools[:5] == [
        (one,), (one, other), (one, other, one), (one, other, one, other), (one, other, one, one),
    ]  # fmt: skip
    assert tools[-1] == (one, other, one, other)


def test_a_refused_process_that_the_kernel_has_no_root_for_is_nobodys(engine: Engine) -> None:
    """Root 0 is no session's."""
    fact = exec_(9, *CLAUDE, ruled=LSM, refused=True)
    [event] = events(engine, replace(fact, root=Process(0, 0)))
    assert (event.session, event.depth) == (None, None)
