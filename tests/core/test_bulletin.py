# SPDX-License-Identifier: Apache-2.0
"""What the sensor tells of its own: what is lost, which policy holds, what works, what is found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.case_events import FOUND
from support.story import StoryHost, enforced

from sensor.core.bulletin import Own, changed, put_right, told
from sensor.core.event import (
    Enforcement,
    Event,
    HealthView,
    Kind,
    Lack,
    PolicyView,
    ProcessView,
    Verdict,
)
from sensor.core.facts import Damaged, Found, Gap, Health, Loss, PolicyChanged, Standing
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
        blocks=1,
        mode="enforce",
    )
    event = tell(fact)
    assert event.kind is Kind.POLICY
    assert event.policy == PolicyView(
        standing="in_force",
        generation=3,
        source="/etc/policy.toml",
        rules=2,
        blocks=1,
        mode="enforce",
    )
    assert (event.reason, event.verdict) == (None, None)


def test_what_is_in_force_is_told_with_what_became_of_blocks() -> None:
    """Where there is no policy, that alone."""
    fact = changed(enforced('mode = "shadow"\n'), Standing.IN_FORCE, 5, why="runtime-1 ended")
    event = tell(fact)
    assert event.policy
    assert (event.policy.standing, event.policy.mode) == ("in_force", "shadow")
    assert event.reason == "runtime-1 ended"
    gone = changed(None, Standing.REMOVED, 5)
    assert gone == PolicyChanged(at_ns=5, standing=Standing.REMOVED, generation=0)


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


def test_a_kill_that_came_to_nothing_is_put_right() -> None:
    """By an event of its own, which names the one that it is about: that one has gone out."""
    killed = replace(
        FOUND, seq=7, kind=Kind.EXEC, verdict=Verdict.BLOCK, rule="no", late=False,
        enforcement=Enforcement.KILL, reason="Use qwen.", process=ProcessView(pid=9, started_ns=1),
        inventory=None,
    )  # fmt: skip
    right = put_right(5, killed, "it had ended", Numbering(StoryHost(), 8)).event
    assert (right.seq, right.at_ns, right.late) == (8, 5, True)
    assert (right.enforcement, right.is_refused) == (Enforcement.NONE, False)
    assert right.reason == "event 7 says kill: it had ended"
    assert "NOT BLOCKED, against no: " in right.line
    same = replace(killed, enforcement=right.enforcement, reason=right.reason, late=True)
    assert right == replace(
        same, seq=8, at_ns=5, at=right.at, boot_id=right.boot_id, host=right.host
    )
