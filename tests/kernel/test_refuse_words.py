# SPDX-License-Identifier: Apache-2.0
"""Words that come in parts, or are made to be misread, are judged by what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.clients import LOOPBACK, Client, request
from support.site import Site, client_hello

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.drivers import Drivers
    from support.network import Network
    from support.policing import Policing

pytestmark = [pytest.mark.kernel, pytest.mark.long]

PROXY_PORT = 3129

BLOCKED = """
mode = "enforce"
[[rule]]
id = "no"
endpoints = ["blocked.example", "ported.example:443"]
verdict = "block"
"""
CONFINED = """
mode = "enforce"
[[rule]]
id = "inside"
tools = ["qwen-code"]
verdict = "allow"
egress_only = ["10.20.0.0/16:443", "{proxy}"]
"""
ABORTED = "recv: ECONNABORTED\n"
PADDING = 21  # RFC 7685


@pytest.fixture(scope="module")
def site(network: Network) -> Iterator[Site]:
    """Give a proxy in the network that answers at once."""
    site = Site(network, (PROXY_PORT,))
    yield site
    site.close()


@pytest.fixture
def stranger(police: Policing, drivers: Drivers, network: Network) -> Client:
    """Give somebody of no session; who listens in the network answers when all was said."""
    police.keep(BLOCKED)
    return Client(police, drivers, network, "client")


def padded(hello: bytes, size: int) -> bytes:
    """Put an extension of padding before the others."""
    at = 44 + hello[43]
    at += 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 1 + hello[at]
    more = PADDING.to_bytes(2, "big") + size.to_bytes(2, "big") + bytes(size)
    extensions = more + hello[at + 2 :]
    body = hello[9:at] + len(extensions).to_bytes(2, "big") + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return hello[:3] + len(message).to_bytes(2, "big") + message


@pytest.mark.parametrize("piece", ["CONNECT ported.example:", "CONNECT ported.example:4"])
def test_a_request_is_judged_when_its_port_is_there(
    network: Network, stranger: Client, piece: str
) -> None:
    """A rule about a port finds it, wherever the request is cut."""
    asked = request("ported.example:443")
    assert stranger.says(asked, network.tcp_port, len(piece), host=LOOPBACK) == ABORTED


@pytest.mark.parametrize(
    "asked",
    [
        "GET http://blocked.example/ HTTP/1.1",
        "POST http://a.Blocked.example:8080?x HTTP/1.1",
        "GET http://ported.example:443/ HTTP/1.0",
    ],
)
def test_a_request_that_has_its_target_in_full_is_judged_by_it(
    network: Network, stranger: Client, asked: str
) -> None:
    """As clients ask a proxy for what is not encrypted."""
    text = f"{asked}\r\n\r\n".encode()
    assert stranger.says(text, network.tcp_port, host=LOOPBACK) == ABORTED


@pytest.mark.parametrize("asked", ["http://fine.example/", "http://ported.example/", "/"])
def test_a_request_for_something_else_goes_on(site: Site, stranger: Client, asked: str) -> None:
    """Another name, another port, or no proxy at all."""
    text = f"GET {asked} HTTP/1.1\r\nHost: blocked.example\r\n\r\n".encode()
    assert stranger.says(text, PROXY_PORT, host=LOOPBACK) == "answered\n"
    assert site.heard[PROXY_PORT].pop() == text


@pytest.mark.parametrize(
    "target", ["http://evil.example/", "http://10.20.0.1:443@evil.example/", "http://10.20.0.1/"]
)
def test_an_approved_tool_asks_a_proxy_for_nothing_else(
    police: Policing, drivers: Drivers, network: Network, target: str
) -> None:
    """By a whole target either; 10.20.0.1 is allowed at another port."""
    port = network.tcp_port
    police.keep(CONFINED.format(proxy=f"{LOOPBACK}:{port}"))
    qwen = Client(police, drivers, network, "qwen")
    text = f"GET {target} HTTP/1.1\r\n\r\n".encode()
    assert qwen.says(text, port, host=LOOPBACK) == ABORTED


@pytest.mark.parametrize("pieces", [(), (60,), (60, 700)])
def test_a_name_behind_much_padding_is_found(
    network: Network, stranger: Client, pieces: tuple[int, ...]
) -> None:
    """Also where the second segment alone is longer than most hellos."""
    hello = padded(client_hello("blocked.example"), 3000)
    assert stranger.says(hello, network.tcp_port, *pieces, host=LOOPBACK) == ABORTED


@pytest.mark.parametrize(
    "target",
    [
        "10.20.0.00000001.evil.example:443",
        "010.20.0.1:443",
        "10.20.0.257:443",
        "[::ffff:10.20.0.1]:443",
    ],
)
def test_what_only_begins_like_an_address_is_none(
    police: Policing, drivers: Drivers, network: Network, target: str
) -> None:
    """A proxy may take it for a name, or for another address."""
    port = network.tcp_port
    police.keep(CONFINED.format(proxy=f"{LOOPBACK}:{port}"))
    qwen = Client(police, drivers, network, "qwen")
    assert qwen.says(request(target), port, host=LOOPBACK) == ABORTED


def test_an_address_is_judged_as_one(
    police: Policing, drivers: Drivers, network: Network, site: Site
) -> None:
    """In its usual form."""
    police.keep(CONFINED.format(proxy=f"{LOOPBACK}:{PROXY_PORT}"))
    qwen = Client(police, drivers, network, "qwen")
    assert qwen.says(request("10.20.0.1:443"), PROXY_PORT, host=LOOPBACK) == "answered\n"
    assert site.heard[PROXY_PORT].pop() == request("10.20.0.1:443")
