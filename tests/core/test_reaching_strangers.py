# SPDX-License-Identifier: Apache-2.0
"""Who reaches something outside of all sessions is looked at before it is told of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.story import (
    CATALOGUE,
    SECOND,
    StoryHost,
    at,
    connect,
    enforced,
    events,
    exec_,
    hello,
    play,
    ruling,
)

from sensor.core.engine import Engine
from sensor.core.facts import Process, Seen
from sensor.core.words import Verdict

ALERT = ruling(Verdict.ALERT)
NO_ANTHROPIC = '[[rule]]\nid = "no"\nendpoints = ["anthropic"]\nverdict = "block"\n'


def seen(**more: object) -> Seen:
    """Say what a look at a stranger showed."""
    return replace(Seen(at_ns=10 * SECOND, process=at(9)), **more)  # type: ignore[arg-type]


@pytest.fixture
def looking() -> Engine:
    """Return an engine that looks, and goes by a policy."""
    engine = Engine(CATALOGUE, StoryHost(), looks=True)
    list(engine.policy(enforced(NO_ANTHROPIC), at_ns=1))
    return engine


def test_a_stranger_is_told_of_after_a_look(looking: Engine) -> None:
    """With its package, its ancestors, and what of them runs tests; one that is gone at once."""
    image = exec_(9, "/usr/bin/curl", late=True)
    fact = replace(connect(9, "198.51.100.7", image=image, ruled=ALERT), root=Process(0, 0))
    play(looking, fact, ["look 9"])
    (told,) = events(looking, seen(package="npm:x", ancestors=(exec_(8, "/usr/bin/ninja"),)))
    assert [one.value for one in told.evidence] == ["anthropic", "npm:x", "ninja"]
    assert told.process
    assert (told.process.package, told.process.ancestors) == ("npm:x", ("/usr/bin/ninja",))
    play(looking, replace(fact, image=None), ["connect unknown-client None alert no"])


def test_a_stranger_of_a_weak_name_is_a_tool_by_what_it_reaches(looking: Engine) -> None:
    """More of it that waited is its session's."""
    image = exec_(9, "/usr/bin/goose", late=True)
    fact = replace(connect(9, "198.51.100.7", image=image, ruled=ALERT), root=Process(0, 0))
    said = replace(hello(9, "198.51.100.7", "anthropic.com", ruled=ALERT), root=Process(0, 0))
    play(
        looking,
        fact,
        ["look 9"],
        replace(said, image=image, cookie=2),
        [],
        seen(),
        [
            "connect goose None alert no",
            "follow 9 of 9",
            "session_start goose",
            "exec goose 0",
            "connect goose 0 alert no",
        ],
    )
