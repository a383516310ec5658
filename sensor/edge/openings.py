# SPDX-License-Identifier: Apache-2.0
"""What a connection says first, in pieces, and what of it must not be heard at the other end."""

from __future__ import annotations

import ssl
import struct
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from sensor.core.proof.technique import Says

ANOTHER_SITE = "another-site.example"
"""A name (RFC 2606) for a hello that hides where it goes."""

# RFC 8446, 4.1.2 and 5.1: the record's head, the message's head, version, random.
_RECORD_HEAD, _RANDOM = 5, slice(11, 43)
_CUTS = (1, 5, 43, 100)
"""Where a hello is cut; the name comes later."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Pieces to be sent one by one; ``secret`` is in the one that must not arrive."""

    pieces: tuple[bytes, ...]
    secret: bytes


def opening(says: Says, *, name: str | None, port: int, word: bytes) -> Opening:
    """Spell it for a name; ``word`` is said where there is nothing else to say."""
    target = (name or ANOTHER_SITE).encode()
    there = target + b":%d" % port
    match says:
        case Says.TOKEN:
            return Opening((word,), word)
        case Says.CONNECT:
            return Opening((_request(b"CONNECT " + there, there),), target)
        case Says.GET:
            return Opening((_request(b"GET http://" + there + b"/", there),), target)
        case Says.SECOND:
            other = ANOTHER_SITE.encode()
            first = _request(b"GET http://" + other + b"/", other)
            return Opening((first, _request(b"CONNECT " + there, there)), target)
        case Says.SOCKS:  # RFC 1928, 3 and 4
            asks = b"\5\1\0\3" + bytes([len(target)]) + target + struct.pack("!H", port)
            return Opening((b"\5\1\0", asks), target)
        case _:
            return _hello(says, target)


def _request(line: bytes, host: bytes) -> bytes:
    return line + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"


def _hello(says: Says, target: bytes) -> Opening:
    name = {Says.NAMELESS: None, Says.FRONT: ANOTHER_SITE}.get(says, target.decode())
    hello = client_hello(name)
    random = hello[_RANDOM]
    match says:
        case Says.SHOUTED:
            return Opening((hello.replace(target, target.upper()),), random)
        case Says.PIECES:
            edges = [0, *_CUTS, len(hello)]
            pieces = (hello[a:b] for a, b in pairwise(edges))
            return Opening(tuple(pieces), target)
        case Says.RECORDS:
            middle = hello.index(target) + len(target) // 2
            parts = hello[_RECORD_HEAD:middle], hello[middle:]
            records = (hello[:3] + struct.pack("!H", len(part)) + part for part in parts)
            return Opening((b"".join(records),), random)
        case _:
            return Opening((hello,), random)


def client_hello(name: str | None) -> bytes:
    """Give the ClientHello of this Python's OpenSSL; nothing is connected."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    return outgoing.read()
