# SPDX-License-Identifier: Apache-2.0
"""What may be a tool is looked at first, and what comes meanwhile waits for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
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
    brief,
    connect,
    enforced,
    events,
    exec_,
    exit_,
    fork,
    hello,
    play,
    ruling,
)

from sensor.core.actions import Follow, Look
from sensor.core.catalogue import Catalogue
from sensor.core.engine import Engine
from sensor.core.event import Evidence
from sensor.core.facts import RULE_DEFAULT, Process, Seen, Signal
from sensor.core.looking import PATIENCE_NS
from sensor.core.words import Enforcement, Verdict

AGENT = replace(
    CATALOGUE.tools[3],
    packages=("npm:@block/goose",),
    environment=("GOOSE_CHILD",),
    unsafe=("--yolo",),
)
KNOWN = replace(CATALOGUE, tools=(*CATALOGUE.tools[:3], AGENT))
IMAGE = exec_(9, *GOOSE)
STRANGE = replace(
    connect(9, "198.51.100.7", root=0, image=exec_(9, "/usr/bin/curl", late=True)),
    root=Process(0, 0),
    ruled=replace(ruling(Verdict.ALERT, Enforcement.NONE), rule=RULE_DEFAULT),
)
RISKY = (
    'mode = "enforce"\n[[rule]]\nid = "guarded"\ntools = ["*"]\nrisk = ["unguarded"]\n'
    'verdict = "block"\n'
)


@pytest.fixture
def engine() -> Engine:
    """Return an engine that looks."""
    return Engine(KNOWN, StoryHost(), looks=True)


def seen(pid: int = 9, package: str | None = None, *, after_s: int = 0, **more: object) -> Seen:
    """Say what a look showed."""
    fact = Seen(
        at_ns=at(pid).started_ns + after_s * SECOND + 2000, process=at(pid), package=package,
        owns=package is not None,
    )  # fmt: skip
    return replace(fact, **more)  # type: ignore[arg-type]


def test_a_weak_name_with_its_package_begins_a_session(engine: Engine) -> None:
    """What it did meanwhile is told behind that, in its order."""
    play(
        engine,
        IMAGE,
        ["look 9"],
        fork(9, 10),
        [],
        exec_(10, *GIT, root=9, parent=at(9)),
        [],
        seen(package="npm:@block/goose"),
        ["session_start goose", "exec goose 0", "exec goose 1"],
        exit_(10, root=9),
        ["exit goose 1"],
    )


@pytest.mark.parametrize("look", [seen(), seen(package="npm:other"), seen(no_look=True)])
def test_a_weak_name_without_a_second_sign_is_released(engine: Engine, look: Seen) -> None:
    """And so is what it started."""
    play(engine, IMAGE, ["look 9"], fork(9, 10), [], look, ["release 9", "release 10"])
    assert engine.members == 0


def test_a_strong_name_that_another_package_owns_is_released(engine: Engine) -> None:
    """It is a stranger of that name."""
    play(engine, exec_(9, *CODEX), ["look 9"], seen(package="npm:other"), ["release 9"])


def test_a_tool_is_told_with_what_the_look_showed(engine: Engine) -> None:
    """Its package, what is dangerous about it, and who must have started it."""
    list(engine.see(exec_(9, *GOOSE, "--yolo")))
    variables = ("GOOSE_CHILD", "https_proxy")
    start, _ = events(engine, seen(package="npm:@block/goose", variables=variables))
    assert start.looked
    assert start.process
    assert start.process.package == "npm:@block/goose"
    assert start.risk == (Evidence("unguarded", "--yolo"), Evidence("proxied", "https_proxy"))
    assert start.lineage == "marker"


def test_a_look_that_takes_too_long_is_done_without(engine: Engine) -> None:
    """By the clock of the facts; when it comes in the end, nobody waits for it."""
    list(engine.see(exec_(9, *CLAUDE)))
    late = replace(exit_(30), at_ns=at(9).started_ns + PATIENCE_NS + SECOND)
    play(engine, late, START, seen(), [], exit_(9), END)


def test_a_process_that_becomes_another_image_is_looked_at_again(engine: Engine) -> None:
    """What it was then is decided first."""
    play(
        engine,
        exec_(9, *GOOSE),
        ["look 9"],
        exec_(9, *CLAUDE, after_ns=5000),
        [],
        fork(9, 10),
        [],
        seen(),
        ["release 9", "look 9"],
        seen(),
        ["follow 9 of 9", *START],
    )


def test_within_a_session_nothing_waits(engine: Engine) -> None:
    """A tool that another one starts is judged by what the kernel told."""
    list(engine.see(exec_(9, *CLAUDE)))
    list(engine.see(seen()))
    play(
        engine,
        exec_(10, *CODEX, root=9, parent=at(9)),
        ["follow 10 of 10", "session_start codex", "exec codex 0"],
    )


def test_what_ran_before_is_looked_at_only_where_it_is_not_known_without(engine: Engine) -> None:
    """The kernel tells nothing of it yet, so nothing can wait."""
    play(
        engine,
        exec_(9, *CLAUDE, late=True),
        ["follow 9 of 9", *START],
        exec_(11, *GOOSE, late=True),
        ["look 11"],
        seen(11, package="npm:@block/goose"),
        ["follow 11 of 11", "session_start goose", "exec goose 0"],
        exec_(12, *GIT, late=True),
        [],
    )


def test_what_was_refused_is_not_looked_at(engine: Engine) -> None:
    """There is nothing to look at."""
    said = ruling(Verdict.BLOCK, Enforcement.LSM)
    (told, *_) = events(engine, exec_(9, *CLAUDE, refused=True, ruled=said))
    assert told.verdict is Verdict.BLOCK


def test_a_late_stranger_stays_one(engine: Engine) -> None:
    """It was released, and the kernel told so."""
    play(engine, IMAGE, ["look 9"], seen(), ["release 9"], exec_(9, *GOOSE, late=True), [])


def test_a_dangerous_run_is_ended_whatever_the_kernel_said(engine: Engine) -> None:
    """A rule about risk is user space's to keep; children that it had by then end too."""
    list(engine.policy(enforced(RISKY), at_ns=1))
    allowed = replace(ruling(Verdict.ALERT, Enforcement.NONE), rule=RULE_DEFAULT)
    play(
        engine,
        exec_(9, *GOOSE, "--yolo", ruled=allowed),
        ["look 9"],
        fork(9, 10),
        [],
        seen(package="npm:@block/goose"),
        [
            "session_start goose",
            "exec goose 0 block kill guarded",
            "notify 9 pts/3",
            "kill 9 guarded",
            "exec goose 0 block kill guarded",
            "kill 10 guarded",
        ],
    )


def test_a_run_that_is_not_dangerous_is_as_the_kernel_said(engine: Engine) -> None:
    """The rule is not about it."""
    list(engine.policy(enforced(RISKY), at_ns=1))
    play(
        engine,
        exec_(9, *GOOSE),
        ["look 9"],
        seen(package="npm:@block/goose"),
        ["session_start goose", "exec goose 0"],
    )


def test_a_stranger_is_looked_at_before_it_is_told_of(engine: Engine) -> None:
    """By what it came in, who started it, and the tool that marked its environment."""
    list(engine.policy(enforced(RISKY), at_ns=1))
    play(engine, STRANGE, ["look 9"], STRANGE, [])
    runner = exec_(8, "/usr/bin/make", "test")
    look = seen(package="npm:client", variables=("GOOSE_CHILD",), ancestors=(runner,))
    first, second = events(engine, look)
    assert (first.tool, first.lineage, first.looked) == ("unknown-client", "marker", True)
    assert [one.signal for one in first.evidence] == ["endpoint", "package", "marker", "runner"]
    assert first.process
    assert first.process.ancestors == ("/usr/bin/make",)
    assert second.evidence == first.evidence


def test_a_weak_name_that_reaches_a_service_begins_a_session(engine: Engine) -> None:
    """It had been released; from now on it is followed."""
    list(engine.policy(enforced(RISKY), at_ns=1))
    list(engine.see(IMAGE))
    assert [brief(one) for one in engine.see(seen())] == ["release 9"]
    assert isinstance(STRANGE.image, type(IMAGE))
    strange = replace(STRANGE, image=replace(IMAGE, late=True))
    play(
        engine,
        strange,
        ["look 9"],
        seen(),
        ["connect goose None", "follow 9 of 9", "session_start goose", "exec goose 0"],
        strange,
        ["connect goose 0"],
    )


def test_a_stranger_that_says_a_name_first_is_looked_at_too(engine: Engine) -> None:
    """A proxy or a hello tells it."""
    list(engine.policy(enforced(RISKY), at_ns=1))
    said = replace(
        hello(9, "192.0.2.7", "api.anthropic.com", root=0), root=Process(0, 0),
        image=STRANGE.image, ruled=STRANGE.ruled,
    )  # fmt: skip
    play(engine, said, ["look 9"], seen(), ["connect unknown-client None"])


def test_a_stranger_of_whom_nothing_is_shown_is_told_at_once(engine: Engine) -> None:
    """It has ended by then."""
    list(engine.policy(enforced(RISKY), at_ns=1))
    play(engine, replace(STRANGE, image=None), ["connect unknown-client None"])


def test_another_catalogue_is_gone_by_at_once(engine: Engine) -> None:
    """What is new in it is looked at from then on."""
    unknown = exec_(9, "/opt/new-tool")
    assert [brief(one) for one in engine.see(unknown)] == ["release 9"]
    mark = replace(KNOWN.tools[0].marks[0], value="new-tool")
    added = replace(KNOWN.tools[0], id="new-tool", marks=(mark,))
    engine.learn(Catalogue(1, (*KNOWN.tools, added), (), ()))
    (asked,) = engine.see(exec_(11, "/opt/new-tool"))
    assert isinstance(asked, Look)
    done = [one for one in engine.see(seen(11)) if not isinstance(one, Follow)]
    assert [brief(one) for one in done] == ["session_start new-tool", "exec new-tool 0"]


def test_what_is_inside_a_file_is_told_behind_the_look() -> None:
    """Both are asked for at once, and it does not matter which is known first."""
    holding = replace(CATALOGUE.tools[0], contents=("FIRST_TEXT_IN_IT", "SECOND_TEXT"))
    known = replace(KNOWN, tools=(holding, *KNOWN.tools[1:]))
    large = replace(IMAGE, unsearched=True)
    found = replace(IMAGE, tool=1, signals=Signal.CONTENT, late=True)
    told = ["follow 9 of 9", "session_start claude-code", "exec claude-code 0"]
    first, second = (Engine(known, StoryHost(), looks=True) for _ in range(2))
    play(first, large, ["look 9", "search 9"], found, [], seen(), ["release 9", *told])
    play(second, large, ["look 9", "search 9"], seen(), ["release 9"], found, told)
