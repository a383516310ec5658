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

from sensor.core.actions import Record
from sensor.core.engine import Engine
from sensor.core.facts import RULE_CANARY, Seen
from sensor.core.judgment import WAS_OVER
from sensor.core.words import Enforcement, Kind, Verdict

if TYPE_CHECKING:
    from sensor.core.facts import Exec, Exit, Fact, Fork

KILLED = ruling(Verdict.BLOCK, Enforcement.KILL)
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
        (exec_(9, *CLAUDE, ruled=KILLED), False),
        (exec_(9, *CLAUDE, ruled=replace(KILLED, rule=RULE_CANARY)), False),
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


WEAK = (
    'mode = "enforce"\n[[rule]]\nid = "no"\ntools = ["goose"]\nverdict = "block"\n'
    'message = "Use qwen."\n'
)


def at_once(*facts: Exec | Fork | Exit) -> list[Fact]:
    """Have facts follow each other before a look is given up."""
    return [replace(one, at_ns=9 * SECOND + number) for number, one in enumerate(facts)]


def test_who_has_ended_by_the_time_of_the_look_is_not_said_to_be_ended() -> None:
    """Nor whom it started; who of these still runs is ended, as the rule says."""
    engine = Engine(KNOWN, StoryHost(), looks=True)
    list(engine.policy(enforced(WEAK), at_ns=1))
    story: list[Exec | Fork | Exit] = [
        exec_(9, "/usr/bin/goose", unsure=True),
        fork(9, 10),
        exec_(10, *GIT, root=9, parent=at(9)),
        fork(9, 11),
        fork(9, 12),
        exit_(9),
        exit_(10, root=9),
        exit_(12, root=9),
    ]
    assert [brief(one) for fact in at_once(*story) for one in engine.see(fact)] == ["look 9"]
    done = list(
        engine.see(Seen(at_ns=10 * SECOND, process=at(9), package="npm:@block/goose", owns=True))
    )
    assert [brief(one) for one in done] == [
        "session_start goose",
        "exec goose 0 block no",
        "exec goose 0 block no",
        "exec goose 1 block no",
        "exec goose 0 block kill no",
        "kill 11 no",
        "exec goose 0 block no",
        "exit goose 0",
        "exit goose 1",
    ]
    told = [one.event for one in done if isinstance(one, Record)]
    verdicts = [one for one in told if one.kind is Kind.EXEC]
    for one in verdicts:
        assert one.process
        ended = one.enforcement is Enforcement.KILL
        assert ended is (one.process.pid == 11)
        assert one.reason == ("Use qwen." if ended else f"Use qwen.; {WAS_OVER}")


def test_who_still_runs_by_the_time_of_the_look_is_ended() -> None:
    """The end of a child is not its own."""
    engine = Engine(KNOWN, StoryHost(), looks=True)
    list(engine.policy(enforced(WEAK), at_ns=1))
    goose = exec_(9, "/usr/bin/goose", unsure=True, tty=None)
    for fact in at_once(goose, fork(9, 10), exit_(10, root=9)):
        list(engine.see(fact))
    seen_ = Seen(at_ns=10 * SECOND, process=at(9), package="npm:@block/goose", owns=True)
    assert [brief(one) for one in engine.see(seen_)][1:3] == [
        "exec goose 0 block kill no", "kill 9 no",
    ]  # fmt: skip


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
