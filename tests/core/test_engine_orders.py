# SPDX-License-Identifier: Apache-2.0
"""Whatever comes in whatever order, under whatever policy: the engine goes on, within bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from support.orders import EXECS, FACTS, TMUX
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

from sensor.core.actions import Destroy, Kill, Look, Record
from sensor.core.enforced import Enforced
from sensor.core.engine import Engine
from sensor.core.event import Kind
from sensor.core.facts import RULE_CANARY, Fact, Seen
from sensor.core.sessions import NESTING

if TYPE_CHECKING:
    from sensor.core.actions import Action
    from sensor.core.event import Event

RULE = '[[rule]]\nid = "{}"\ntools = ["{}"]\nverdict = "block"\nrunning = "{}"\n'
POLICIES = [
    enforced(RULE.format("one", "claude-code", "kill"), generation=1),
    enforced(RULE.format("two", "*", "disconnect"), generation=2, domains={1: "anthropic.com"}),
    enforced(
        '[[rule]]\nid = "in"\ntools = ["codex"]\nverdict = "allow"\negress_only = ["a.test"]\n',
        generation=3,
    ),
    None,
]
STEPS = FACTS | st.sampled_from(POLICIES)


def go(engine: Engine, step: Fact | Enforced | None) -> list[Action]:
    """Do what one step calls for."""
    if step is None or isinstance(step, Enforced):
        return list(engine.policy(step, at_ns=7))
    return list(engine.see(step))


def told(actions: list[Action]) -> list[Event]:
    """Return the events among what is to be done."""
    return [one.event for one in actions if isinstance(one, Record)]


@given(st.lists(STEPS, max_size=60), st.integers(1, 4))
def test_every_order_is_survived_under_any_policy(
    story: list[Fact | Enforced | None], limit: int
) -> None:
    """Events are numbered without holes, lines are printable, and an end has its event."""
    engine = Engine(CATALOGUE, StoryHost(), limit=limit)
    seqs: list[int] = []
    for step in story:
        actions = go(engine, step)
        here = told(actions)
        seqs += [event.seq for event in here]
        assert all(event.line.isprintable() for event in here)
        refused = [event for event in here if event.is_refused]
        ends = [one for one in actions if isinstance(one, Kill | Destroy)]
        assert len(ends) <= len(refused)
        assert engine.members <= limit
        assert engine.sessions <= limit * NESTING
    assert seqs == list(range(1, len(seqs) + 1))


@given(st.lists(FACTS, max_size=60))
def test_only_attempts_have_a_verdict_and_the_canary_none(story: list[Fact]) -> None:
    """What merely happened was not judged; the sensor's own proof is not told."""
    engine = Engine(CATALOGUE, StoryHost())
    for fact in story:
        for event in told(go(engine, fact)):
            attempted = event.kind in {Kind.EXEC, Kind.CONNECT}
            assert (event.verdict is None, event.enforcement is None) == (not attempted,) * 2
            ruled = getattr(fact, "ruled", None)
            own = event.kind is Kind.LOSS or event.kind is Kind.SESSION_END
            assert own or ruled is None or ruled.rule != RULE_CANARY


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


LOOKS = st.builds(
    Seen,
    at_ns=st.integers(1, 10 * SECOND),
    process=st.integers(1, 6).map(at),
    package=st.sampled_from([None, "npm:x"]),
    owns=st.booleans(),
    no_look=st.booleans(),
    variables=st.sampled_from([(), ("CLAUDECODE",), ("CLAUDECODE", "CODEX_CI")]),
    ancestors=st.sampled_from([(), (exec_(1, *TMUX, late=True),)]),
)
MARKS = {"claude-code": ("CLAUDECODE",), "codex": ("CODEX_CI",)}
MARKED = replace(
    CATALOGUE,
    tools=tuple(replace(one, environment=MARKS.get(one.id, ())) for one in CATALOGUE.tools),
)


@given(st.lists(STEPS | LOOKS, max_size=60), st.integers(1, 4))
def test_every_order_of_facts_and_looks_is_survived(
    story: list[Fact | Enforced | None], limit: int
) -> None:
    """Whatever waits for a look that never comes; once all looks have come nothing waits."""
    engine = Engine(MARKED, StoryHost(), limit=limit, looks=True)
    seqs: list[int] = []
    for step in story:
        seqs += [event.seq for event in told(go(engine, step))]
        assert engine.members <= limit
    for pid in range(1, 7):
        for _ in range(len(story) + 1):  # what it became meanwhile is looked at again
            looked = Seen(at_ns=9 * SECOND, process=at(pid))
            seqs += [event.seq for event in told(go(engine, looked))]
    assert seqs == list(range(1, len(seqs) + 1))
    for pid in range(1, 7):
        assert not any(isinstance(one, Look) for one in engine.see(exit_(pid)))


BROKERED = EXECS.map(
    lambda fact: replace(
        fact, brokered=True, late=False, refused=False, ruled=None, root=fact.process, parent=at(9)
    )
)
ASKED: list[Fact] = [exec_(1, *CLAUDE), Seen(at_ns=SECOND, process=at(1)), fork(1, 2)]


@given(st.lists(BROKERED | LOOKS | EXECS, min_size=5, max_size=40), st.integers(2, 4))
def test_every_order_around_a_broker_is_survived(story: list[Fact], limit: int) -> None:
    """While somebody asks one; what joins leaves by its end, and its session ends with it."""
    engine = Engine(MARKED, StoryHost(), limit=limit, looks=True)
    seqs: list[int] = []
    for fact in (*ASKED, exec_(2, *TMUX, root=1, parent=at(1)), *story):
        here = told(go(engine, fact))
        seqs += [event.seq for event in here]
        assert all(event.session for event in here if event.lineage in {"client", "cgroup"})
        assert engine.members <= limit
    for pid in range(1, 7):
        for _ in range(len(story) + 1):
            seen = Seen(at_ns=9 * SECOND, process=at(pid))
            seqs += [event.seq for event in told(go(engine, seen))]
    for pid in range(1, 7):
        seqs += [event.seq for event in told(go(engine, exit_(pid, after_s=9)))]
    assert seqs == list(range(1, len(seqs) + 1))
    assert (engine.members, engine.sessions) == (0, 0)
