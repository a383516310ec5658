# SPDX-License-Identifier: Apache-2.0
"""Records of connections become facts, with what policy said of them."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from support.records import HTTPS, RULED, RULING, SHELL, TOOL, UNRULED, V4, head

from sensor.core.facts import Connect, Hello, Transport
from sensor.core.words import NameSource
from sensor.wire import probe


@pytest.mark.parametrize(
    ("protocol", "transport"),
    [(6, Transport.TCP), (17, Transport.UDP), (132, Transport.OTHER)],
)
def test_a_connect_is_read(protocol: int, transport: Transport) -> None:
    """IPv4 is shown as IPv4, the port as its number."""
    what = (V4, 1001, HTTPS, protocol, 1, b"curl")
    record = probe.CONNECT.pack(*head(4), 80, 5, 99, 55, *RULING, *what)
    assert probe.read(record) == Connect(
        at_ns=100,
        process=SHELL,
        root=TOOL,
        uid=1001,
        cookie=5,
        address=IPv4Address("192.0.2.1"),
        port=443,
        transport=transport,
        domain=99,
        comm="curl",
        cgroup_id=55,
        ruled=RULED,
    )


def test_an_address_beyond_ipv4_stays_what_it_is() -> None:
    """IPv6 that maps nothing is IPv6."""
    ip = IPv6Address("2001:db8::1")
    what = (ip.packed, 0, HTTPS, 6, 1, b"")
    fact = probe.read(probe.CONNECT.pack(*head(4), 80, 5, 0, 55, *UNRULED, *what))
    assert isinstance(fact, Connect)
    assert (fact.address, fact.comm, fact.ruled) == (ip, None, None)


PROXY_PORT, LOCAL_PORT = (struct.unpack("=H", struct.pack("!H", one))[0] for one in (3128, 40000))


@pytest.mark.parametrize(
    ("source", "word"), [(1, NameSource.SNI), (2, NameSource.PROXY), (3, None)]
)
def test_a_hello_is_read(source: int, word: NameSource | None) -> None:
    """Names are compared as lower case; what a record does not fill is no part of them."""
    local = IPv6Address("2001:db8::1")
    what = (V4, local.packed, 1001, PROXY_PORT, LOCAL_PORT, HTTPS, 6, source, 1, 0, b"A.testxxx")
    assert probe.read(probe.HELLO.pack(*head(7), 80, 5, 99, 55, *RULING, *what)) == Hello(
        at_ns=100,
        process=SHELL,
        root=TOOL,
        uid=1001,
        cookie=5,
        remote=IPv4Address("192.0.2.1"),
        remote_port=3128,
        local=local,
        local_port=40000,
        target_port=443,
        name="a.test",
        source=word,
        cut=True,
        domain=99,
        cgroup_id=55,
        ruled=RULED,
    )
