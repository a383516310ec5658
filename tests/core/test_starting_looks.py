# SPDX-License-Identifier: Apache-2.0
"""Which starts are looked at, and what a rule about risk makes of them."""

from __future__ import annotations

from dataclasses import replace
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
    enforced,
    exec_,
    exit_,
    fork,
    play,
    ruling,
)

from sensor.core.engine import Engine
from sensor.core.facts import RULE_CANARY, Seen
from sensor.core.words import Enforcement, Verdict

if TYPE_CHECKING:
    from sensor.core.facts import Exec

KILL = ruling(Verdict.BLOCK, Enforcement.KILL)
BLOCK = 'mode = "enforce"\n[[rule]]\nid = "no"\ntools = ["claude-code"]\nverdict = "block"\n'
RISKY = (
    'mode = "enforce"\n[[rule]]\nid = "guarded"\ntools = ["*"]\nrisk = ["unguarded"]\n'
    'verdict = "{}"\n'
)
UNSAFE = replace(
    CATALOGUE, tools=(replace(CATALOGUE.tools[0], unsafe=("--yolo",)), *CATALOGUE.tools[1:])
)


@pytest.mark.parametrize(
    ("verdict", "late", "told"),
    [
        (
            "block",
            False,
            ["exec claude-code 0 block kill guarded", "notify 9 pts/3", "kill 9 guarded"],
        ),
        ("block", True, ["exec claude-code 0 block guarded"]),
        ("alert", False, ["exec claude-code 0 alert guarded"]),
    ],
)
def test_a_dangerous_run_is_judged_by_a_rule_about_risk(
    verdict: str, told: list[str], *, late: bool
) -> None:
    """As soon as it is known; one that ran before the sensor is left running, and told."""
    engine = Engine(UNSAFE, StoryHost())
    list(engine.policy(enforced(RISKY.format(verdict)), at_ns=1))
    done = [brief(one) for one in engine.see(exec_(9, *CLAUDE, "--yolo", late=late))]
    assert [one for one in done if not one.startswith("follow")] == [
        "session_start claude-code",
        *told,
    ]


@pytest.mark.parametrize(
    ("fact", "looked"),
    [
        (exec_(9, *CLAUDE), True),
        (exec_(9, "/usr/bin/goose"), True),
        (exec_(9, *GIT), False),
        (exec_(9, *CLAUDE, late=True), False),
        (exec_(9, "/usr/bin/goose", late=True), True),
        (exec_(9, *CLAUDE, refused=True), False),
        (exec_(9, *CLAUDE, ruled=KILL), False),
        (exec_(9, *CLAUDE, ruled=replace(KILL, rule=RULE_CANARY)), False),
    ],
)
def test_a_look_is_wanted_where_it_makes_a_difference(fact: Exec, *, looked: bool) -> None:
    """Of what may be a tool and runs, in no session yet."""
    engine = Engine(CATALOGUE, StoryHost(), looks=True)
    list(engine.policy(enforced(BLOCK), at_ns=1))
    assert ("look 9" in [brief(one) for one in engine.see(fact)]) is looked


def test_who_is_released_is_looked_at_when_it_becomes_something_else() -> None:
    """But not when it is found in /proc: the kernel's record was first."""
    engine = Engine(CATALOGUE, StoryHost(), looks=True)
    list(engine.see(exec_(9, *GIT)))
    play(engine, exec_(9, "/usr/bin/goose", late=True), [], exec_(9, *CODEX), ["look 9"])


AGENT = replace(CATALOGUE.tools[3], packages=("npm:@block/goose",))
KNOWN = replace(CATALOGUE, tools=(*CATALOGUE.tools[:3], AGENT))


def within() -> Engine:
    """Return an engine with a session of claude, in which git became what may be a tool."""
    engine = Engine(KNOWN, StoryHost(), looks=True)
    for fact in (exec_(9, *CLAUDE), Seen(at_ns=9 * SECOND + 2000, process=at(9)), fork(9, 10)):
        list(engine.see(fact))
    goose = exec_(10, "/usr/bin/goose", root=9, parent=at(9))
    assert [brief(one) for one in engine.see(goose)] == ["exec claude-code 1", "look 10"]
    return engine


def seen(package: str | None) -> Seen:
    """Say what a look at it showed."""
    return Seen(at_ns=10 * SECOND + 5000, process=at(10), package=package, owns=bool(package))


def test_within_a_session_a_tool_is_told_again_when_it_is_known() -> None:
    """Nothing waits for the look: by then it has a session of its own within the outer one."""
    play(
        within(),
        fork(10, 11, root=9),
        [],
        seen("npm:@block/goose"),
        ["follow 10 of 10", "session_start goose", "exec goose 0"],
        exit_(10, root=10),
        ["exit goose 0", "session_end goose"],
    )


@pytest.mark.parametrize("package", [None, "npm:other"])
def test_within_a_session_a_stranger_stays_a_part_of_it(package: str | None) -> None:
    """As does what has ended by the time that it is known."""
    play(within(), seen(package), [], exit_(10, root=9), ["exit claude-code 1"])
    play(within(), exit_(10, root=9), ["exit claude-code 1"], seen("npm:@block/goose"), [])


def test_what_a_broker_within_a_session_starts_needs_no_look() -> None:
    """It is a child of the session's."""
    engine = within()
    list(engine.see(fork(9, 20)))
    fact = replace(exec_(20, "/bin/sh", root=9, parent=at(9)), brokered=True)
    play(engine, fact, ["exec claude-code 1"])
