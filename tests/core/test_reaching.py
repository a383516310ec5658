# SPDX-License-Identifier: Apache-2.0
"""What policy says of connections, by session, address and name, and who is told."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from support.story import (
    CATALOGUE,
    CLAUDE,
    START,
    StoryHost,
    at,
    brief,
    close,
    connect,
    enforced,
    events,
    exec_,
    exit_,
    hello,
    play,
    resolved,
    ruling,
)

from sensor.core.actions import Destroy
from sensor.core.engine import Engine
from sensor.core.event import Destination, NameSource, ProcessView
from sensor.core.facts import RULE_CANARY, RULE_QUIC, Process, Transport
from sensor.core.flows import Flow
from sensor.core.lineage import Member
from sensor.core.names import Endpoints, Names
from sensor.core.reaching import destruction
from sensor.core.sessions import Session
from sensor.core.words import Enforcement, Verdict

CGROUP = ruling(Verdict.BLOCK, Enforcement.CGROUP)
TLS = ruling(Verdict.BLOCK, Enforcement.TLS)
PROXY = ruling(Verdict.BLOCK, Enforcement.PROXY)
ALERT = ruling(Verdict.ALERT)
NO_ANTHROPIC = '[[rule]]\nid = "no"\nendpoints = ["anthropic"]\nverdict = "block"\n'
INSIDE = (
    '[[rule]]\nid = "no"\ntools = ["claude-code"]\nverdict = "allow"\n'
    'egress_only = ["llm.test:8443", "192.0.2.7"]\n'
)
ANTHROPIC = 77
BY_NAME = ("198.51.100.7", 443, "anthropic.com", NameSource.DNS, "anthropic")


def engine_with(text: str = NO_ANTHROPIC) -> Engine:
    """Return an engine that goes by a policy."""
    engine = Engine(CATALOGUE, StoryHost())
    policy = enforced(text, domains={ANTHROPIC: "anthropic.com"})
    assert [brief(one) for one in engine.policy(policy, at_ns=1)] == ["policy in_force 1"]
    return engine


@pytest.fixture
def engine() -> Engine:
    """Return an engine in which claude runs, and may not reach its vendor."""
    engine = engine_with()
    play(engine, exec_(9, *CLAUDE), START)
    return engine


def shown(to: Destination | None) -> tuple[object, ...]:
    """Return what a destination says."""
    assert to
    return (str(to.ip), to.port, to.name, to.name_source, to.endpoint)


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


def test_a_connection_without_an_address_cannot_be_closed() -> None:
    """Nothing is asked for that cannot be done."""
    session = Session(
        id="s", tool=CATALOGUE.tools[0], identity=None, root=at(9), started_ns=9,  # type: ignore[arg-type]
        names=Names(Endpoints(CATALOGUE)),
    )  # fmt: skip
    member = Member(process=at(9), ppid=1, session=session, depth=0, image=None)
    flow = Flow(member, Destination(ip=None, port=None, transport="tcp"))
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
