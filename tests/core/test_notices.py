# SPDX-License-Identifier: Apache-2.0
"""Whoever is refused is told why, on their own terminal, once in a while."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from support.streams import event

from sensor.core.actions import Notify
from sensor.core.event import Destination, Event, Kind, ProcessView
from sensor.core.facts import Process
from sensor.core.notices import EVERY_NS, REMEMBERED, Notices, text

VIEW = ProcessView(pid=9, started_ns=8, uid=1000, loginuid=1000, tty="pts/3")
REFUSED = replace(event(7), rule="no-agents", reason="Use qwen.", process=VIEW)


def told(notices: Notices, one: Event) -> int:
    """Count the notices of an event."""
    return len(list(notices.of(one)))


def test_a_notice_says_who_what_and_how_to_learn_more() -> None:
    """It names the process, so that only the right terminal is written to."""
    assert list(Notices().of(REFUSED)) == [
        Notify(
            process=Process(9, 8),
            tty="pts/3",
            uid=1000,
            loginuid=1000,
            text="agent-sensor: Use qwen. (agent-sensor explain 7)",
        )
    ]


@pytest.mark.parametrize(
    ("to", "says"),
    [
        (Destination(ip=None, port=443, transport="tcp", name="a.test"), "a.test"),
        (Destination(ip=None, port=None, transport="tcp"), "-"),
    ],
)
def test_a_rule_without_words_is_named(to: Destination, says: str) -> None:
    """With what was refused."""
    silent = replace(REFUSED, reason=None)
    end = "was refused by rule no-agents (agent-sensor explain 7)"
    assert text(silent) == f"agent-sensor: codex {end}"
    reached = replace(silent, kind=Kind.CONNECT, destination=to)
    assert text(reached) == f"agent-sensor: a connection to {says} {end}"
    assert "a program was refused by rule -" in text(replace(silent, tool=None, rule=None))


def test_a_block_without_words_says_what_it_refused() -> None:
    """A ticket alone tells nobody what happened, nor does a line for responders."""
    to = Destination(ip=ip_address("160.79.104.10"), port=443, transport="tcp")
    blocked = replace(REFUSED, rule="runtime-3", kind=Kind.CONNECT, destination=to)
    was = "agent-sensor: a connection to 160.79.104.10 was refused by block runtime-3"
    end = "(agent-sensor explain 7)"
    assert text(replace(blocked, reason="ticket SEC-8")) == f"{was}, ticket SEC-8 {end}"
    said = text(replace(blocked, reason="ticket SEC-8: leak\x1b"))
    assert said.startswith(f"{was}, ticket SEC-8: leak")
    assert said.isprintable()
    spoken = text(replace(blocked, reason="Use qwen., ticket SEC-8"))
    assert spoken == f"agent-sensor: Use qwen., ticket SEC-8 {end}"
    rule = text(replace(blocked, rule="no-agents", reason="ticket SEC-8"))
    assert rule == f"agent-sensor: ticket SEC-8 {end}"


def test_what_a_stranger_chose_cannot_steer_the_terminal() -> None:
    """A name from a hello is shown as what it is."""
    to = Destination(ip=None, port=443, transport="tcp", name="a\x1b[2J.test\n")
    said = text(replace(REFUSED, reason=None, kind=Kind.CONNECT, destination=to))
    assert said.isprintable()
    assert text(replace(REFUSED, reason="\x1b[2J")).isprintable()


@pytest.mark.parametrize("view", [None, replace(VIEW, tty=None)])
def test_without_a_terminal_there_is_nobody_to_tell(view: ProcessView | None) -> None:
    """As in a build."""
    assert told(Notices(), replace(REFUSED, process=view)) == 0


def test_the_same_is_not_told_again_at_once() -> None:
    """After a while it is, and another rule, tool, terminal or user is told of by itself."""
    notices = Notices()
    assert told(notices, REFUSED) == 1
    soon = replace(REFUSED, at_ns=REFUSED.at_ns + EVERY_NS - 1)
    assert told(notices, soon) == 0
    assert told(notices, replace(soon, rule="other")) == 1
    assert told(notices, replace(soon, tool="aider")) == 1
    assert told(notices, replace(soon, process=replace(VIEW, tty="pts/4"))) == 1
    assert told(notices, replace(soon, process=replace(VIEW, uid=0))) == 1
    assert told(notices, replace(soon, at_ns=REFUSED.at_ns + EVERY_NS)) == 1


def test_a_time_before_the_last_does_not_silence_anybody() -> None:
    """Two rings are not in order."""
    notices = Notices()
    assert [told(notices, replace(REFUSED, at_ns=at_ns)) for at_ns in (100, 50)] == [1, 1]


def test_many_people_do_not_fill_the_memory() -> None:
    """The first of them is told once more than need be."""
    notices = Notices()
    for uid in range(REMEMBERED + 5):
        assert told(notices, replace(REFUSED, process=replace(VIEW, uid=uid))) == 1
    assert len(notices) == REMEMBERED
