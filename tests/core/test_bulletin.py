# SPDX-License-Identifier: Apache-2.0
"""What the sensor tells of its own: what is lost, which policy holds, what works, what is found."""

from __future__ import annotations

import pytest
from support.case_events import FOUND
from support.story import CATALOGUE, CLAUDE, StoryHost, enforced, events, exec_

from sensor.core.bulletin import Own, put_right, told
from sensor.core.engine import Engine
from sensor.core.event import Enforcement, Event, HealthView, Kind, Lack, PolicyView, Verdict
from sensor.core.facts import Damaged, Found, Gap, Health, Loss, PolicyChanged, Standing, Undone
from sensor.core.numbering import Numbering


def tell(fact: Own) -> Event:
    """Return the first event of a stream."""
    return told(fact, Numbering(StoryHost(), 1)).event


def test_what_was_lost_is_told_and_why() -> None:
    """A damaged record is a lost one of which it is known where it broke."""
    lost = tell(Loss(at_ns=5, what="exec", count=3))
    assert (lost.kind, lost.loss, lost.reason) == (Kind.LOSS, ("exec", 3), None)
    damaged = tell(Damaged(at_ns=5, why="12 bytes"))
    assert (damaged.kind, damaged.loss, damaged.reason) == (Kind.LOSS, ("record", 1), "12 bytes")
    assert (damaged.tool, damaged.session, damaged.process) == (None, None, None)


@pytest.mark.parametrize("seqs", [None, (7, 9)])
def test_a_gap_has_its_time_and_its_reason(seqs: tuple[int, int] | None) -> None:
    """Numbers are named where some were given out and not kept."""
    start = StoryHost.wall_offset_ns
    told = tell(Gap(at_ns=5, from_wall_ns=start - 10, why="down", seqs=seqs))
    assert told.kind is Kind.GAP
    assert told.reason == "down"
    assert told.gap == Lack("2026-11-23T13:59:59.999999990Z", told.at, *(seqs or ()))


def test_a_policy_is_told_with_what_it_is() -> None:
    """Whoever reads the stream knows by which rules it goes from here on."""
    fact = PolicyChanged(
        at_ns=5,
        standing=Standing.IN_FORCE,
        generation=3,
        source="/etc/policy.toml",
        rules=2,
        mode="enforce",
    )
    event = tell(fact)
    assert event.kind is Kind.POLICY
    assert event.policy == PolicyView(
        standing="in_force", generation=3, source="/etc/policy.toml", rules=2, mode="enforce"
    )
    assert (event.reason, event.verdict) == (None, None)


def test_a_policy_that_was_refused_leaves_the_one_before() -> None:
    """And says why."""
    event = tell(PolicyChanged(at_ns=5, standing=Standing.KEPT, generation=3, why="line 7"))
    assert event.policy
    assert (event.policy.standing, event.policy.generation, event.reason) == ("kept", 3, "line 7")


def test_health_is_told_with_what_shows_it() -> None:
    """The part, whether it works, and why that is known."""
    event = tell(Health(at_ns=5, what="enforcement", is_well=False, why="the canary got through"))
    assert (event.kind, event.health) == (Kind.HEALTH, HealthView("enforcement", is_well=False))
    assert event.reason == "the canary got through"


def test_what_an_audit_found_is_nobodys_session() -> None:
    """It has a tool, and no process."""
    assert FOUND.inventory
    event = tell(Found(at_ns=5, tool="codex", vendor="openai", inventory=FOUND.inventory))
    assert (event.kind, event.tool, event.vendor) == (Kind.INVENTORY, "codex", "openai")
    assert (event.session, event.process, event.verdict) == (None, None, None)
    assert event.inventory == FOUND.inventory


KILL_ALL = (
    'mode = "enforce"\n[[rule]]\nid = "no"\ntools = ["*"]\nverdict = "block"\n'
    'running = "kill"\nmessage = "Use qwen."\n'
)


def test_a_kill_that_came_to_nothing_is_put_right() -> None:
    """By an event of its own, which names the one that it is about: that one has gone out."""
    engine = Engine(CATALOGUE, StoryHost())
    list(engine.policy(enforced(KILL_ALL), at_ns=1))
    _, killed = events(engine, exec_(9, *CLAUDE))
    assert (killed.enforcement, killed.is_refused) == (Enforcement.KILL, True)
    fact = Undone(at_ns=killed.at_ns + 5, told=killed, why="it had ended")
    [right] = events(engine, fact)
    assert (right.kind, right.verdict, right.rule) == (Kind.EXEC, Verdict.BLOCK, "no")
    assert (right.enforcement, right.is_refused, right.late) == (Enforcement.NONE, False, True)
    assert right.reason == f"event {killed.seq} says kill: it had ended"
    assert (right.seq, right.at_ns) == (killed.seq + 1, killed.at_ns + 5)
    assert (right.process, right.session, right.tool) == (
        killed.process, killed.session, killed.tool,
    )  # fmt: skip
    assert "NOT BLOCKED, against no: " in right.line
    again = put_right(fact, Numbering(StoryHost(), right.seq)).event
    assert again == right
