# SPDX-License-Identifier: Apache-2.0
"""What a connection says first is read as it is meant, whole or in parts."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from support.hellos import Recorded, extension, hello, recorded, server_name
from support.readers import SUFFIXES, hold_heard, mutants, named
from support.reference import Heard, labels_of
from support.site import client_hello

from sensor.wire.rulings import hash_suffix

if TYPE_CHECKING:
    from support.readers import Readers

RECORDED = recorded()
NAMES = [
    "example", "a.example", "API.Example.COM", "xn--bcher-kva.example", "a.b.c.d.e.f.example",
    "1.2.3.4.5.6.7.8.9.10.example", f"{'x' * 63}.{'y' * 63}.{'z' * 63}.{'w' * 61}",
]  # fmt: skip
PLAIN = hello(extension(43, b"\x02\x03\x04"), server_name(b"a.example"))
REQUESTS = [
    (b"CONNECT a.example:443 HTTP/1.1\r\n\r\n", Heard("proxy", b"a.example", 443)),
    (b"CONNECT a.example.:8443 HTTP/1.1\r\n\r\n", Heard("proxy", b"a.example.", 8443)),
    (b"CONNECT a.example HTTP/1.1\r\n\r\n", Heard("proxy", b"a.example", 80)),
    (b"GET http://a.example/x HTTP/1.1\r\n", Heard("proxy", b"a.example", 80)),
    (b"PROPPATCH HTTP://A.example:8080/ HTTP/1.1\r\n", Heard("proxy", b"A.example", 8080)),
    (b"POST http://a.example?x HTTP/1.1\r\n", Heard("proxy", b"a.example", 80)),
    (b"GET http://192.0.2.7:81/ HTTP/1.1\r\n", Heard("proxy", b"192.0.2.7", 81, 0xC0000207)),
    (b"GET http://a.example:443@b.example/ HTTP/1.1\r\n", Heard("proxy")),
    (b"GET http://192.0.2.7:443@b.example/ HTTP/1.1\r\n", Heard("proxy")),
    (b"GET http://a.example:b@b.example/ HTTP/1.1\r\n", Heard("proxy")),
    (b"GET http://a.example@b.example/ HTTP/1.1\r\n",
     Heard("proxy", b"a.example@b.example", 80)),
    (b"CONNECT a.example:443000 HTTP/1.1\r\n", Heard("proxy")),
    (b"GET https://a.example/ HTTP/1.1\r\n", Heard("nothing")),
    (b"get http://a.example/ HTTP/1.1\r\n", Heard("nothing")),
    (b"MUCHTOOLONG http://a.example/ HTTP/1.1\r\n", Heard("nothing")),
    (b"EHLO a.example\r\n", Heard("nothing")),
    (b"CONNECT 192.0.2.7:443 HTTP/1.1\r\n", Heard("proxy", b"192.0.2.7", 443, 0xC0000207)),
    (b"CONNECT 255.255.255.255:65535 HTTP/1.1\r\n",
     Heard("proxy", b"255.255.255.255", 65535, 0xFFFFFFFF)),
    (b"CONNECT 192.0.2.07:443 HTTP/1.1\r\n", Heard("proxy", b"192.0.2.07", 443)),
    (b"CONNECT 192.0.2.256:443 HTTP/1.1\r\n", Heard("proxy", b"192.0.2.256", 443)),
    (b"CONNECT 192.0.2:443 HTTP/1.1\r\n", Heard("proxy", b"192.0.2", 443)),
    (b"CONNECT 192.0.2.7.1:443 HTTP/1.1\r\n", Heard("proxy", b"192.0.2.7.1", 443)),
    (b"CONNECT 192.0.2.0000001.evil.example:443 HTTP/1.1\r\n",
     Heard("proxy", b"192.0.2.0000001.evil.example", 443)),
    (b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\n", Heard("proxy")),
    (b"CONNECT %b:443 HTTP/1.1\r\n" % (b"x" * 254), Heard("proxy", b"x" * 254, 443)),
    (b"CONNECT %b:443 HTTP/1.1\r\n" % (b"x" * 255), Heard("proxy")),
    (b"GET / HTTP/1.1\r\n\r\n", Heard("nothing")),
    (b"CONNECTED a.example:443 HTTP/1.1", Heard("nothing")),
]  # fmt: skip
HELLOS = [
    ("a name", PLAIN, Heard("sni", b"a.example")),
    ("none", hello(extension(43, b"")), Heard("nothing")),
    ("no extensions", hello(), Heard("nothing")),
    ("no session", hello(server_name(b"a.example"), session=0), Heard("sni", b"a.example")),
    ("many ciphers", hello(server_name(b"a.example"), ciphers=600), Heard("sni", b"a.example")),
    ("behind padding", hello(extension(21, bytes(3000)), server_name(b"a")), Heard("sni", b"a")),
    ("the 40th extension", hello(*[extension(9, b"")] * 39, server_name(b"a")), Heard("sni", b"a")),
    ("the 41st extension", hello(*[extension(9, b"")] * 40, server_name(b"a")), Heard("nothing")),
    ("an empty name", hello(server_name(b"")), Heard("sni", b"")),
    ("another kind of name", hello(server_name(b"a.example", kind=1)), Heard("nothing")),
    ("an empty list", hello(extension(0, b"")), Heard("nothing")),
    ("the longest name", hello(server_name(b"x" * 254)), Heard("sni", b"x" * 254)),
    ("a name too long", hello(server_name(b"x" * 255)), Heard("nothing")),
    ("a name beyond its extension", hello(server_name(b"a.example", size=10)), Heard("nothing")),
    ("a name behind the hello", hello(extension(9, b""), more=server_name(b"a")), Heard("nothing")),
    ("several records", hello(server_name(b"a"), claims=1), Heard("unreadable")),
    ("beyond 4 KiB", hello(extension(21, bytes(4090)), server_name(b"a")), Heard("part")),
]


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: one.client)
def test_a_client_is_understood(readers: Readers, one: Recorded) -> None:
    """What real clients of OpenSSL, GnuTLS, node, Go and Rust say has the name that they mean."""
    ((found, name),) = readers.heard([one.hello])
    if one.name is None:
        assert found == Heard("nothing")
        return
    assert found == Heard("sni", one.name.encode())
    suffixes = [".".join(one.name.split(".")[-count:]) for count in (1, 2, 3)]
    assert name == (3, [*(hash_suffix(one, 0) for one in suffixes), 0, 0, 0])


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: one.client)
def test_a_client_that_is_cut_short_is_waited_for(readers: Readers, one: Recorded) -> None:
    """Cut at every byte: first there is a part, then the name, and never anything else."""
    parts = [one.hello[:count] for count in range(1, len(one.hello) + 1)]
    said = [found for found, _ in readers.heard(parts)]
    last = said[-1]
    first = said.index(last)
    assert last.kind in {"sni", "nothing"}
    assert said == [Heard("part")] * first + [last] * (len(parts) - first)
    hold_heard(readers, parts)


@pytest.mark.parametrize("name", [*NAMES, None])
def test_this_python_is_understood(readers: Readers, name: str | None) -> None:
    """Its name is the one that policy would be written with, whatever the case."""
    ((found, hashed),) = readers.heard([client_hello(name)])
    if name is None:
        assert found == Heard("nothing")
        return
    labels = name.split(".")
    longest = ".".join(labels[-SUFFIXES:])
    assert found == Heard("sni", name.encode())
    assert hashed.labels == len(labels)
    assert hash_suffix(longest, 0) in hashed.suffixes
    assert hashed == named(labels_of(name.encode()))


@pytest.mark.parametrize(("text", "wanted"), REQUESTS, ids=lambda value: str(value)[:40])
def test_a_request_to_a_proxy_names_its_target(
    readers: Readers, text: bytes, wanted: Heard
) -> None:
    """By name, port and address; cut short it is waited for until all three are there."""
    parts = [text[:count] for count in range(1, len(text) + 1)]
    said = [found for found, _ in readers.heard(parts, stale=ord("0"))]
    assert said[-1] == wanted
    assert set(said) <= {Heard("part"), wanted}
    hold_heard(readers, parts)


@pytest.mark.parametrize(
    ("text", "wanted"), [case[1:] for case in HELLOS], ids=[c[0] for c in HELLOS]
)
def test_a_hello_that_is_odd_names_what_a_server_finds(
    readers: Readers, text: bytes, wanted: Heard
) -> None:
    """Or nothing; what lay in the buffer before does not count."""
    for stale in (0, 1, 0xFF):
        assert [found for found, _ in readers.heard([text], stale=stale)] == [wanted]


def test_any_damage_gives_what_the_reference_finds(readers: Readers) -> None:
    """Twenty thousand damaged hellos and requests: no name is made up, and no read goes astray."""
    seeds = [one.hello for one in RECORDED] + [text for text, _ in REQUESTS]
    seeds += [text for kind, text, _ in HELLOS if "extension" not in kind]
    hold_heard(readers, mutants(seeds, 20_000, Random(1)))  # noqa: S311  # the same each time
