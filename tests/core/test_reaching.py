# SPDX-License-Identifier: Apache-2.0
"""What policy says of connections, by session, address and name, and who is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.reaching import (
    ALERT,
    ANTHROPIC,
    BY_NAME,
    CGROUP,
    running_claude,
    shown,
)
from support.story import (
    at,
    close,
    connect,
    events,
    exec_,
    exit_,
    hello,
    play,
    resolved,
    ruling,
)

from sensor.core.event import NameSource, ProcessView
from sensor.core.facts import RULE_CANARY, RULE_QUIC, Process, Transport
from sensor.core.words import Enforcement, Verdict

if TYPE_CHECKING:
    from sensor.core.engine import Engine


@pytest.fixture
def engine() -> Engine:
    """Return an engine in which claude runs, and may not reach its vendor."""
    return running_claude()


def test_a_refused_connection_is_told_and_has_no_end(engine: Engine) -> None:
    """It never was one: no host was reached, and no close will come."""
    play(
        engine,
        connect(9, "198.51.100.7", ruled=CGROUP),
        ["connect claude-code 0 block cgroup no", "notify 9 pts/3"],
        connect(9, "198.51.100.7", cookie=2, ruled=CGROUP),
        ["connect claude-code 0 block cgroup no"],
    )
    *_, ended = events(engine, exit_(9))
    assert ended.hosts == 0


def test_a_connection_that_would_be_refused_is_one(engine: Engine) -> None:
    """In shadow mode its close is told by whose it was."""
    play(
        engine,
        connect(9, "198.51.100.7", ruled=ruling(Verdict.WOULD_BLOCK)),
        ["connect claude-code 0 would_block no"],
        close(9, "198.51.100.7"),
        ["close claude-code 0"],
    )


def test_quic_is_refused_by_a_rule_of_that_name(engine: Engine) -> None:
    """With the reason, as no text of the policy has it."""
    said = ruling(Verdict.BLOCK, Enforcement.CGROUP, rule=RULE_QUIC)
    [event] = events(engine, connect(9, "192.0.2.1", transport=Transport.UDP, ruled=said))
    assert event.rule == "quic"
    assert event.reason == "names are judged on TCP port 443, which QUIC would go past"


@pytest.mark.parametrize("asked", [True, False])
def test_a_far_end_is_called_as_it_was_judged(engine: Engine, *, asked: bool) -> None:
    """Where its session never asked for a name, the suffix of the policy is told."""
    if asked:
        events(engine, resolved(9, "api.anthropic.com", "198.51.100.7"))
    [event] = events(engine, connect(9, "198.51.100.7", domain=ANTHROPIC, ruled=CGROUP))
    name = "api.anthropic.com" if asked else "anthropic.com"
    assert shown(event.destination) == ("198.51.100.7", 443, name, NameSource.DNS, "anthropic")


def stranger(**given: object) -> object:
    """Say that somebody in no session connects to a vendor."""
    values = {"domain": ANTHROPIC, "ruled": CGROUP, **given}
    return replace(connect(30, "192.0.2.1", **values), root=Process(0, 0))  # type: ignore[arg-type]


def test_a_stranger_is_told_of_for_what_policy_said(engine: Engine) -> None:
    """It is an unknown client of the service whose name it reached; nobody begins a session."""
    [event] = events(engine, stranger())  # type: ignore[arg-type]
    assert (event.tool, event.session, event.depth) == ("unknown-client", None, None)
    assert shown(event.destination) == ("192.0.2.1", *BY_NAME[1:])
    assert event.process == ProcessView(
        pid=30, started_ns=at(30).started_ns, comm="curl", uid=1000, user="alice"
    )
    assert engine.members == 1


def test_a_stranger_is_shown_and_told_as_proc_has_it(engine: Engine) -> None:
    """Its terminal is known from there."""
    image = exec_(30, "/usr/bin/curl", "https://anthropic.com", late=True)
    play(
        engine,
        stranger(image=image),  # type: ignore[arg-type]
        ["connect unknown-client None block cgroup no", "notify 30 pts/3"],
    )


def test_a_stranger_by_address_has_the_range_s_endpoint(engine: Engine) -> None:
    """Whoever reaches something else is told without a tool."""
    facts = [
        replace(connect(30, to, ruled=ALERT), root=Process(0, 0))
        for to in ("198.51.100.7", "192.0.2.1")
    ]
    known, unknown = events(engine, *facts)
    assert shown(known.destination)[3:] == (NameSource.RANGE, "anthropic")
    assert shown(unknown.destination)[2:] == (None, None, None)
    assert (known.tool, unknown.tool) == ("unknown-client", None)


def test_what_is_let_pass_of_a_stranger_is_no_event(engine: Engine) -> None:
    """Nor is it lost: nobody follows it."""
    play(
        engine,
        stranger(ruled=ruling(Verdict.ALLOW)),  # type: ignore[arg-type]
        [],
        stranger(ruled=None),  # type: ignore[arg-type]
        [],
    )


def test_a_refusal_of_somebody_unplaced_is_told(engine: Engine) -> None:
    """And that something about them was lost."""
    play(
        engine,
        connect(30, "192.0.2.1", ruled=CGROUP),
        ["connect None None block cgroup no", "loss 1 unplaced"],
    )


@pytest.mark.parametrize("rule", [RULE_CANARY])
def test_the_canary_is_no_event(engine: Engine, rule: int) -> None:
    """Neither at its connect nor at its hello."""
    said = ruling(Verdict.BLOCK, Enforcement.CGROUP, rule=rule)
    play(
        engine,
        connect(30, "192.0.2.1", ruled=said),
        [],
        hello(30, "192.0.2.1", "api.anthropic.com", ruled=said),
        [],
    )
