# SPDX-License-Identifier: Apache-2.0
"""What the engine makes of files that no name settles, and of what is found in them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.story import (
    CATALOGUE,
    CLAUDE,
    CODEX,
    GIT,
    GOOSE,
    StoryHost,
    at,
    brief,
    enforced,
    events,
    exec_,
    fork,
    play,
)

from sensor.core.engine import Engine
from sensor.core.event import Evidence
from sensor.core.facts import Exec, Process, Signal
from sensor.core.judgment import WAS_OVER
from sensor.core.scripts import Inside
from sensor.core.words import Enforcement, Verdict

TEXTS = ("FIRST_TEXT_IN_IT", "SECOND_TEXT")
KNOWN = replace(
    CATALOGUE, tools=(replace(CATALOGUE.tools[0], contents=TEXTS), *CATALOGUE.tools[1:])
)
INDEX = KNOWN.index_of("claude-code")
NAMED = ("/opt/formatter", "-w", "x.py")
BEGUN = ["follow 9 of 9", "session_start claude-code", "exec claude-code 0"]
BLOCK = 'mode = "enforce"\n[[rule]]\nid = "no"\ntools = ["claude-code"]\nverdict = "block"\n'


def unsearched(pid: int, *argv: str, follows: bool = False) -> Exec:
    """Say that a large file of no known name is executed, by somebody whom nobody follows."""
    fact = replace(exec_(pid, *argv), unsearched=True)
    return fact if follows else replace(fact, root=Process(0, 0))


def found(fact: Exec) -> Exec:
    """Say that claude is in the file of an image."""
    return replace(
        fact, signals=Signal.CONTENT, tool=INDEX, late=True, unsearched=False,
        at_ns=fact.at_ns + 500,
    )  # fmt: skip


@pytest.fixture
def engine() -> Engine:
    """Return an engine that has seen nothing."""
    return Engine(KNOWN, StoryHost())


def test_a_large_file_is_looked_into_and_no_one_s_until_then(engine: Engine) -> None:
    """Nobody is followed for it, so nobody is released."""
    play(engine, unsearched(9, *NAMED), ["search 9"], exec_(10, *GIT), ["release 10"])
    assert (engine.members, engine.sessions) == (0, 0)


def test_a_script_is_looked_into_and_seen_again_as_what_it_is(engine: Engine) -> None:
    """Also by a member of a session: what it turns out to be is a session within."""
    image = replace(exec_(9, "/usr/bin/node", "x.js"), unseen=True, root=Process(0, 0))
    play(engine, image, ["search 9"])
    seen = replace(
        image, signals=Signal.SCRIPT, tool=INDEX, late=True, unseen=False, at_ns=image.at_ns + 500,
        inside=Inside("/l/@anthropic-ai/claude-code/x.js"),
    )  # fmt: skip
    begun = [brief(one) for one in engine.see(seen)]
    assert sorted(begun) == sorted(BEGUN)
    play(engine, seen, [])


def test_what_is_found_in_it_begins_a_session_late(engine: Engine) -> None:
    """It runs already, and is followed from now on."""
    image = unsearched(9, *NAMED)
    play(engine, image, ["search 9"])
    begun = [brief(one) for one in engine.see(found(image))]
    assert sorted(begun) == sorted(BEGUN)
    play(engine, found(image), [])


def test_the_session_says_by_what_it_is_known() -> None:
    """The texts of the catalogue, all in one."""
    tool = replace(CATALOGUE.tools[0], contents=("FIRST_TEXT_IN_IT", "SECOND_TEXT"))
    catalogue = replace(CATALOGUE, tools=(tool, *CATALOGUE.tools[1:]))
    start, run = events(Engine(catalogue, StoryHost()), found(unsearched(9, *NAMED)))
    assert start.evidence == (Evidence("content", "FIRST_TEXT_IN_IT + SECOND_TEXT"),)
    assert (start.late, run.late) == (True, True)


def test_a_namesake_is_released_and_looked_into(engine: Engine) -> None:
    """It may be the tool after all, or another one; then it is followed again."""
    image = unsearched(9, *GOOSE, follows=True)
    play(engine, image, ["release 9", "search 9"])
    assert sorted(brief(one) for one in engine.see(found(image))) == sorted(BEGUN)


def test_within_another_tool_it_has_a_session_of_its_own(engine: Engine) -> None:
    """Until it was known it was that one's child."""
    image = replace(unsearched(10, *NAMED, follows=True), parent=at(9), root=at(9))
    play(
        engine,
        exec_(9, *CODEX),
        ["session_start codex", "exec codex 0"],
        fork(9, 10),
        [],
        image,
        ["exec codex 1", "search 10"],
    )
    start, run = events(engine, replace(found(image), root=at(9)))
    assert (start.tool, run.depth) == ("claude-code", 0)
    assert start.parent_session
    assert engine.sessions == 2


def test_a_tool_that_is_known_already_says_nothing_new(engine: Engine) -> None:
    """Its name gave it away before its content did."""
    image = exec_(9, *CLAUDE)
    events(engine, image)
    play(engine, found(image), [])


def test_what_ran_before_is_looked_into_where_no_session_has_it(engine: Engine) -> None:
    """Of a tool that is known by its name there is nothing to find out."""
    late = replace(exec_(9, *NAMED, late=True), unsearched=True)
    known = replace(exec_(10, *CLAUDE, late=True), unsearched=True)
    assert [brief(one) for one in engine.see(late)] == ["search 9"]
    assert "search 10" not in [brief(one) for one in engine.see(known)]


def test_what_had_ended_by_then_is_not_said_to_be_ended(engine: Engine) -> None:
    """It came to its end by itself; the rule that would have refused it is named."""
    list(engine.policy(enforced(f'{BLOCK}running = "kill"\n'), at_ns=1))
    image = unsearched(9, *NAMED)
    events(engine, image)
    (_, run) = events(engine, replace(found(image), over=True))
    assert (run.verdict, run.enforcement) == (Verdict.BLOCK, Enforcement.NONE)
    assert run.reason == WAS_OVER


@pytest.mark.parametrize(
    ("running", "expected"),
    [
        ("", ["follow 9 of 9", "session_start claude-code", "exec claude-code 0 block no"]),
        (
            'running = "kill"\n',
            [
                "follow 9 of 9",
                "session_start claude-code",
                "exec claude-code 0 block kill no",
                "notify 9 pts/3",
                "kill 9 no",
            ],
        ),
    ],
)
def test_policy_falls_on_what_runs_already(
    engine: Engine, running: str, expected: list[str]
) -> None:
    """It is ended where the rule says so; else what it reaches is refused from now on."""
    list(engine.policy(enforced(BLOCK + running), at_ns=1))
    image = unsearched(9, *NAMED)
    events(engine, image)
    assert [brief(one) for one in engine.see(found(image))] == expected
