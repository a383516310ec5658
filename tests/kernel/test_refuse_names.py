# SPDX-License-Identifier: Apache-2.0
"""What is refused by name: looked up, said in a hello, or told to a proxy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from support.clients import LOOPBACK, RESOLVER, Client, request
from support.patience import SOON_S
from support.site import Site, client_hello
from support.stage import TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.drivers import Drivers
    from support.network import Network
    from support.policing import Policing
    from support.running import Event

pytestmark = pytest.mark.kernel

OTHER_PORT, PROXY_PORT, PRIVATE_PORT = 8443, 3128, 9443
PORTS = (443, OTHER_PORT, PROXY_PORT, PRIVATE_PORT)
BLOCKED = """
mode = "enforce"
[[rule]]
id = "no"
endpoints = ["blocked.example", "*.below.example", "198.51.100.7"]
verdict = "block"
"""
CONFINED = f"""
mode = "enforce"
[dns]
resolvers = ["{RESOLVER}"]
[[rule]]
id = "inside"
tools = ["qwen-code"]
verdict = "allow"
egress_only = ["llm.corp.example:443", "{LOOPBACK}:{PROXY_PORT}"]
"""
QWEN_REFUSED = ("qwen-code", "block", "inside")
ABORTED = "recv: ECONNABORTED\n"
ANSWERED = "answered\n"


@pytest.fixture(scope="module")
def site(network: Network) -> Iterator[Site]:
    """Give listeners in the network."""
    site = Site(network, PORTS)
    yield site
    site.close()


@pytest.fixture
def stranger(police: Policing, drivers: Drivers, network: Network, site: Site) -> Client:
    """Give somebody of no session, under a policy that blocks names."""
    del site
    police.keep(BLOCKED)
    return Client(police, drivers, network, "client")


@pytest.fixture
def qwen(police: Policing, drivers: Drivers, network: Network, site: Site) -> Client:
    """Give a tool that is confined to its private endpoint."""
    del site
    police.keep(CONFINED)
    return Client(police, drivers, network, "qwen")


def heard(site: Site, port: int) -> list[bytes]:
    """Take what the listener at a port has heard."""
    said = site.heard[port][:]
    site.heard[port].clear()
    return said


def refusals(police: Policing, since: int, count: int) -> tuple[list[Event], int]:
    """Give those that are told and how many are told as lost, as soon as they are so many."""
    end = time.monotonic() + SOON_S
    while True:
        told = police.told_of(since, "connect")
        lost = sum(event["loss"]["count"] for event in police.told_of(since, "loss"))
        if len(told) + lost >= count or time.monotonic() > end:
            return told, lost
        time.sleep(0.05)


def test_a_name_is_refused_before_who_asked_for_it_can_connect(
    police: Policing, stranger: Client
) -> None:
    """A thousand fresh names, each connected to as soon as its answer is there: 0 get through."""
    since = police.seq()
    assert stranger.asks("n%.blocked.example", OTHER_PORT, 1000) == (1000, 0)
    assert stranger.asks("n%.blocked.example", OTHER_PORT, TIMES, udp=True) == (TIMES, 0)
    told, lost = refusals(police, since, 1000 + TIMES)
    assert len(told) + lost == 1000 + TIMES
    assert {(e["verdict"], e["enforcement"], e["rule"]) for e in told} == {
        ("block", "cgroup", "no")
    }
    assert {e["destination"]["name"] for e in told} == {"blocked.example"}


@pytest.mark.long
def test_another_site_at_the_same_address_goes_on(stranger: Client) -> None:
    """The name that was asked for last counts."""
    assert stranger.asks("api.blocked.example", OTHER_PORT) == (1, 0)
    assert stranger.asks("fine.example", OTHER_PORT) == (0, 1)
    assert stranger.asks("API.Blocked.Example", OTHER_PORT) == (1, 0)


@pytest.mark.long
def test_a_star_is_what_is_below(stranger: Client) -> None:
    """And not the name itself."""
    assert stranger.asks("below.example", OTHER_PORT) == (0, 1)
    assert stranger.asks("a.b.below.example", OTHER_PORT) == (1, 0)


@pytest.mark.parametrize(
    "name",
    [
        "api.blocked.example",
        pytest.param("blocked.example", marks=pytest.mark.long),
        pytest.param("x.BLOCKED.example", marks=pytest.mark.long),
    ],
)
def test_a_hello_with_a_refused_name_never_leaves(
    police: Policing, site: Site, stranger: Client, name: str
) -> None:
    """The listener hears nothing, and the client sees an error long before its time-out."""
    stranger.asks("fine.example", OTHER_PORT)
    since = police.seq()
    hello = client_hello(name)
    assert [stranger.says(hello, 443) for _ in range(TIMES)] == [ABORTED] * TIMES
    assert heard(site, 443) == []
    for event in police.told(since, "connect", TIMES, port=443):
        assert (event["verdict"], event["enforcement"], event["rule"]) == ("block", "tls", "no")
        assert event["destination"]["name"] == name.lower()
        assert event["destination"]["name_source"] == "sni"


@pytest.mark.long
@pytest.mark.parametrize("name", ["fine.example", "notblocked.example", None])
def test_a_hello_with_another_name_or_none_goes_through(
    site: Site, stranger: Client, name: str | None
) -> None:
    """Byte for byte."""
    stranger.asks("fine.example", OTHER_PORT)
    hello = client_hello(name)
    assert [stranger.says(hello, 443) for _ in range(TIMES)] == [ANSWERED] * TIMES
    assert heard(site, 443) == [hello] * TIMES


@pytest.mark.long
@pytest.mark.parametrize("pieces", [(1,), (5,), (43,), (100,), (1, 1, 1), (40, 60, 80)])
def test_a_hello_in_pieces_is_read_as_one(
    site: Site, stranger: Client, pieces: tuple[int, ...]
) -> None:
    """What goes out before the name is no more than the pieces before it."""
    stranger.asks("fine.example", OTHER_PORT)
    hello = client_hello("blocked.example")
    said = stranger.says(hello, 443, *pieces)
    assert all(hello not in text for text in heard(site, 443))
    # A listener that answers the first piece has ended the connection by then.
    assert said in {ABORTED, ANSWERED, "send: EPIPE\n"}


def test_a_request_to_a_proxy_is_judged_by_its_target(
    police: Policing, site: Site, stranger: Client
) -> None:
    """By name in any port, and by address."""
    since = police.seq()
    for target in ("blocked.example:443", "x.blocked.example:8443", "198.51.100.7:443"):
        assert stranger.says(request(target), PROXY_PORT, host=LOOPBACK) == ABORTED
    assert heard(site, PROXY_PORT) == []
    told = police.told(since, "connect", 3)
    assert {event["enforcement"] for event in told} == {"proxy"}
    assert [event["destination"]["name_source"] for event in told] == ["proxy"] * 3
    assert stranger.says(request("fine.example:443"), PROXY_PORT, host=LOOPBACK) == ANSWERED
    assert len(heard(site, PROXY_PORT)) == 1


def test_an_approved_tool_reaches_its_endpoint_and_nothing_else(site: Site, qwen: Client) -> None:
    """By name, by address, over UDP 443, and through a proxy."""
    assert qwen.asks("llm.corp.example", 443) == (0, 1)
    assert qwen.asks("llm.corp.example", OTHER_PORT) == (1, 0)
    assert qwen.asks("llm.corp.example", 443, udp=True) == (1, 0)
    assert qwen.asks("fine.example", 443) == (1, 0)
    assert qwen.says(b"x", OTHER_PORT) == "connect: EPERM\n"
    assert qwen.says(b"x", OTHER_PORT, host=LOOPBACK) == "connect: EPERM\n"
    assert qwen.says(request("llm.corp.example:443"), PROXY_PORT, host=LOOPBACK) == ANSWERED
    assert qwen.says(request("fine.example:443"), PROXY_PORT, host=LOOPBACK) == ABORTED
    assert qwen.says(request("192.0.2.1:443"), PROXY_PORT, host=LOOPBACK) == ABORTED
    assert len(heard(site, PROXY_PORT)) == 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "outcome"),
    [("llm.corp.example", ANSWERED), ("fine.example", ABORTED), (None, ABORTED)],
)
def test_an_approved_tool_says_the_name_of_its_endpoint(
    qwen: Client, name: str | None, outcome: str
) -> None:
    """At an address that other sites share, the hello decides."""
    qwen.asks("llm.corp.example", 443)
    hello = client_hello(name)
    assert [qwen.says(hello, 443) for _ in range(TIMES)] == [outcome] * TIMES


@pytest.mark.long
def test_a_child_of_an_approved_tool_is_confined_too(
    police: Policing, drivers: Drivers, network: Network, qwen: Client, tmp_path: Path
) -> None:
    """Whatever program it is."""
    del qwen
    script = tmp_path / "qwen"
    program = drivers.plain("tcp")
    script.write_text(f"#!/bin/sh\n{program} {LOOPBACK} {OTHER_PORT}; exit $?\n", "utf-8")
    script.chmod(0o755)
    since = police.seq()
    assert [police.run(network.entered(script))[1] for _ in range(TIMES)] == [1] * TIMES
    told = police.told(since, "connect", TIMES)
    assert {(e["tool"], e["verdict"], e["rule"]) for e in told} == {
        ("qwen-code", "block", "inside")
    }
    assert {e["process"]["exe"] for e in told} == {str(program)}
