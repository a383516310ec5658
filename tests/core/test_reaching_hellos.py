# SPDX-License-Identifier: Apache-2.0
"""What connections say first: it names them, and may be the end of them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from support.reaching import (
    ANTHROPIC,
    PROXY,
    TLS,
    running_claude,
    shown,
)
from support.story import (
    LOCAL,
    brief,
    close,
    connect,
    events,
    hello,
    play,
    resolved,
    ruling,
)

from sensor.core.actions import Destroy
from sensor.core.event import NameSource
from sensor.core.facts import Process
from sensor.core.words import Verdict

if TYPE_CHECKING:
    from sensor.core.engine import Engine


@pytest.fixture
def engine() -> Engine:
    """Return an engine in which claude runs, and may not reach its vendor."""
    return running_claude()


def test_a_name_that_a_connection_says_is_its_own(engine: Engine) -> None:
    """It counts for more than what was looked up: the close has it."""
    play(
        engine,
        resolved(9, "cdn.test", "192.0.2.1"),
        ["resolve claude-code 0"],
        connect(9, "192.0.2.1"),
        ["connect claude-code 0"],
        hello(9, "192.0.2.1", "api.anthropic.com", ruled=ruling(Verdict.ALLOW)),
        [],
    )
    [event] = events(engine, close(9, "192.0.2.1"))
    said = ("192.0.2.1", 443, "api.anthropic.com", NameSource.SNI, "anthropic")
    assert shown(event.destination) == said


def test_a_name_may_come_before_its_connection(engine: Engine) -> None:
    """What is refused and what is not come by two rings."""
    opened, closed = events(
        engine,
        hello(9, "192.0.2.1", "api.anthropic.com"),
        connect(9, "192.0.2.1"),
        close(9, "192.0.2.1"),
    )
    assert shown(opened.destination) == shown(closed.destination)
    assert shown(opened.destination)[2:4] == ("api.anthropic.com", NameSource.SNI)


@pytest.mark.parametrize(
    ("said", "source", "word", "port"),
    [(TLS, NameSource.SNI, "tls", 443), (PROXY, NameSource.PROXY, "proxy", 3128)],
)
def test_a_connection_that_says_a_refused_name_is_closed(
    engine: Engine, said: object, source: NameSource, word: str, port: int
) -> None:
    """The program sees an error at once; the connect was told before, with what was known then."""
    play(
        engine,
        connect(9, "192.0.2.1"),
        ["connect claude-code 0"],
        hello(9, "192.0.2.1", "api.anthropic.com", source=source, ruled=said),  # type: ignore[arg-type]
        [
            f"connect claude-code 0 block {word} no",
            "notify 9 pts/3",
            f"destroy 1 192.0.2.1:{port}",
        ],
        close(9, "192.0.2.1", error=104),
        ["close claude-code 0"],
    )


def test_both_ends_are_named_to_whoever_closes_it(engine: Engine) -> None:
    """Of a stranger's connection as well; it may be that nobody is known."""
    fact = hello(30, "192.0.2.1", "api.anthropic.com", ruled=TLS)
    nobody = replace(fact, process=Process(0, 0), root=Process(0, 0))
    record, destroy = engine.see(nobody)
    assert brief(record) == "connect unknown-client None block tls no"
    assert destroy == Destroy(
        process=Process(0, 0),
        cookie=1,
        remote=(ip_address("192.0.2.1"), 443),
        local=(LOCAL, 40_000),
    )


def test_a_hello_that_would_be_refused_is_told_and_goes_on(engine: Engine) -> None:
    """A connection of a session whose start was lost is placed by the kernel's root."""
    shadow = ruling(Verdict.WOULD_BLOCK)
    play(
        engine,
        hello(30, "192.0.2.1", "api.anthropic.com", root=9, ruled=shadow),
        ["connect claude-code None would_block no"],
    )


@pytest.mark.parametrize(
    ("to", "domain", "asked", "says"),
    [
        ("192.0.2.1", 0, True, ("api.anthropic.com", NameSource.DNS, "anthropic")),
        ("192.0.2.1", ANTHROPIC, False, ("anthropic.com", NameSource.DNS, "anthropic")),
        ("198.51.100.7", 0, False, (None, NameSource.RANGE, "anthropic")),
        ("192.0.2.1", 0, False, (None, None, None)),
    ],
)
def test_a_hello_without_a_name_is_called_as_before(
    engine: Engine, to: str, domain: int, *, asked: bool, says: tuple[object, ...]
) -> None:
    """By the session, by what it was judged by, by its range, or not at all."""
    if asked:
        events(engine, resolved(9, "api.anthropic.com", to), connect(9, to))
    [event] = events(engine, hello(9, to, None, source=None, domain=domain, ruled=TLS))
    assert shown(event.destination)[2:] == says
