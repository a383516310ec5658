# SPDX-License-Identifier: Apache-2.0
"""What policy says of connections that are open already."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from support.reaching import (
    INSIDE,
    NO_ANTHROPIC,
    engine_with,
    running_claude,
)
from support.story import (
    CATALOGUE,
    CLAUDE,
    START,
    StoryHost,
    at,
    brief,
    connect,
    events,
    exec_,
    hello,
    play,
    resolved,
)

from sensor.core.actions import Destroy
from sensor.core.engine import Engine
from sensor.core.event import Destination, NameSource
from sensor.core.facts import Transport
from sensor.core.flows import Flow
from sensor.core.lineage import Member
from sensor.core.names import Endpoints, Names
from sensor.core.reaching import destruction
from sensor.core.sessions import Session


@pytest.fixture
def engine() -> Engine:
    """Return an engine in which claude runs, and may not reach its vendor."""
    return running_claude()


def late(engine: Engine, to: str, *, port: int = 443) -> list[str]:
    """Return what a connection calls for that was open before the sensor."""
    return [brief(one) for one in engine.see(connect(9, to, port=port, late=True))]


def test_an_open_connection_that_policy_refuses_is_closed(engine: Engine) -> None:
    """It is found when the sensor starts; another one goes on."""
    assert late(engine, "198.51.100.7") == [
        "connect claude-code 0 block destroy no",
        "notify 9 pts/3",
        "destroy 1 198.51.100.7:443",
    ]
    play(engine, connect(9, "192.0.2.1", cookie=2, late=True), ["connect claude-code 0"])


def test_without_a_policy_nothing_that_is_open_is_closed() -> None:
    """Whatever it is."""
    engine = Engine(CATALOGUE, StoryHost())
    play(engine, exec_(9, *CLAUDE), START)
    assert late(engine, "198.51.100.7") == ["connect claude-code 0"]


@pytest.mark.parametrize(
    ("facts", "goes_on"),
    [
        ([resolved(9, "llm.test", "192.0.2.1")], True),
        ([replace(resolved(9, "llm.test", "192.0.2.1"), resolver=ip_address("192.0.2.99"))], False),
        ([hello(9, "192.0.2.1", "llm.test", port=8443)], True),
        ([hello(9, "192.0.2.1", "llm.test", port=8443, source=NameSource.PROXY)], True),
        ([hello(9, "192.0.2.1", "llm.test", port=443, source=NameSource.PROXY)], False),
        ([hello(9, "192.0.2.1", "192.0.2.7", source=NameSource.PROXY)], True),
        ([hello(9, "192.0.2.1", "192.0.2.8", source=NameSource.PROXY)], False),
        ([], False),
    ],
)
def test_an_open_connection_is_judged_by_all_that_is_known_of_it(
    facts: list[object], *, goes_on: bool
) -> None:
    """A name counts from a trusted resolver or its own hello; a proxy's target by its port."""
    engine = engine_with(INSIDE)
    play(engine, exec_(9, *CLAUDE), [START[0], f"{START[1]} allow no"])
    events(engine, *facts)  # type: ignore[arg-type]
    told = late(engine, "192.0.2.1", port=8443)
    assert (len(told) == 1) is goes_on


@pytest.mark.parametrize(
    "far_end",
    [
        Destination(ip=None, port=None, transport="tcp"),
        Destination(ip=ip_address("192.0.2.1"), port=0, transport="other"),
    ],
)
def test_a_connection_without_an_address_or_of_icmp_cannot_be_closed(far_end: Destination) -> None:
    """Nothing is asked for that cannot be done."""
    session = Session(
        id="s", tool=CATALOGUE.tools[0], identity=None, root=at(9), started_ns=9,  # type: ignore[arg-type]
        names=Names(Endpoints(CATALOGUE)),
    )  # fmt: skip
    member = Member(process=at(9), ppid=1, session=session, depth=0, image=None)
    flow = Flow(member, far_end)
    assert list(destruction(1, flow)) == []


ENDED = [
    "connect claude-code 0 block destroy no",
    "notify 9 pts/3",
    "destroy 5 198.51.100.7:443",
]


def datagrams(engine: Engine, to: str, *, port: int = 443, cookie: int = 1) -> list[str]:
    """Return what a connected datagram socket calls for that is found open."""
    fact = connect(9, to, port=port, cookie=cookie, transport=Transport.UDP, late=True)
    return [brief(one) for one in engine.see(fact)]


def test_a_datagram_socket_is_told_of_where_it_is_ended(engine: Engine) -> None:
    """That it sent was told before; its end is told once, and tried as often as it is found."""
    assert datagrams(engine, "192.0.2.1", port=53) == []
    assert datagrams(engine, "198.51.100.7") == [
        "connect claude-code 0 block destroy no",
        "notify 9 pts/3",
        "destroy 1 198.51.100.7:443",
    ]
    assert datagrams(engine, "198.51.100.7") == ["destroy 1 198.51.100.7:443"]


def test_quic_that_is_open_ends_where_names_are_judged() -> None:
    """By the rule of that name; the socket is one for datagrams."""
    engine = engine_with()
    play(engine, exec_(9, *CLAUDE), START)
    fact = connect(9, "192.0.2.1", transport=Transport.UDP, late=True)
    actions = list(engine.see(fact))
    assert brief(actions[0]) == "connect claude-code 0 block destroy quic"
    assert isinstance(actions[-1], Destroy)
    assert actions[-1].transport is Transport.UDP


def test_a_connection_that_is_known_is_closed_when_it_is_found_once_more(engine: Engine) -> None:
    """Its verdict is told once, whenever that came."""
    events(engine, connect(9, "198.51.100.7", cookie=5), connect(9, "192.0.2.1", cookie=6))
    assert [
        [brief(one) for one in engine.see(connect(9, to, cookie=cookie, late=True))]
        for to, cookie in (("198.51.100.7", 5), ("192.0.2.1", 6))
    ] == [ENDED, []]
    again = engine.see(connect(9, "198.51.100.7", cookie=5, late=True))
    assert [brief(one) for one in again] == ENDED[-1:]


@pytest.mark.parametrize(("to", "ended"), [("198.51.100.7", True), ("192.0.2.1", False)])
@pytest.mark.parametrize("text", [NO_ANTHROPIC, NO_ANTHROPIC + INSIDE.replace("no", "in")])
def test_what_was_open_over_a_restart_is_not_told_again(to: str, text: str, *, ended: bool) -> None:
    """Its name went with the run before: where that could count, it goes on."""
    before = Engine(CATALOGUE, StoryHost())
    began = events(before, exec_(9, *CLAUDE))[0]
    engine = engine_with(text)
    engine.resume(began)
    list(engine.see(exec_(9, *CLAUDE, late=True)))
    told = [brief(one) for one in engine.see(connect(9, to, port=8443, late=True))]
    assert told == ([
        "connect claude-code 0 block destroy no",
        "notify 9 pts/3",
        f"destroy 1 {to}:8443",
    ] if ended else [])  # fmt: skip
