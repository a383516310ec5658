# SPDX-License-Identifier: Apache-2.0
"""Where fuzzing begins: messages as they are, of each shape that the readers tell apart."""

from __future__ import annotations

import struct

from support.dns import NO_ERROR, RecordType, answer, wire_name
from support.hellos import extension, hello, recorded, server_name

V4, V6 = bytes((192, 0, 2, 1)), bytes.fromhex("20010db8000000000000000000000001")
POINTER = b"\xc0\x0c"
"""RFC 1035, 4.1.4: to the name of the question."""

REQUESTS = [
    b"CONNECT a.example:443 HTTP/1.1\r\n\r\n",
    b"CONNECT a.example. HTTP/1.1\r\n\r\n",
    b"GET http://a.example/x HTTP/1.1\r\n\r\n",
    b"PROPPATCH http://a.example:8080?x HTTP/1.1\r\n\r\n",
    b"GET http://a.example:443@b.example/ HTTP/1.1\r\n\r\n",
    b"CONNECT 192.0.2.7:65535 HTTP/1.1\r\n\r\n",
    b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\n\r\n",
    b"CONNECT %b:443 HTTP/1.1\r\n" % (b"x" * 254),
    b"CONNECT %b:443 HTTP/1.1\r\n" % (b"x" * 255),
]


def query(name: str, kind: int = RecordType.A) -> bytes:
    """Ask for a name."""
    head = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0)
    return head + wire_name(name) + struct.pack("!2H", kind, 1)


def compressed(
    name: str, *records: tuple[int, bytes], count: int | None = None, owner: bytes = POINTER
) -> bytes:
    """Answer as resolvers do: the owner of each record is a pointer."""
    message = bytearray(answer(query(name), [], NO_ERROR))
    message[6:8] = struct.pack("!H", len(records) if count is None else count)
    for kind, content in records:
        message += owner + struct.pack("!2HIH", kind, 1, 60, len(content)) + content
    return bytes(message)


SEEDS = {
    "hello": [
        *(one.hello for one in recorded()),
        *REQUESTS,
        hello(server_name(b"a.example")),
        hello(extension(21, bytes(3000)), server_name(b"a.example")),
        hello(server_name(b"x" * 254)),
        hello(server_name(b"a.example"), claims=1),
    ],
    "dns": [
        compressed("a.example", (1, V4), (28, V6)),
        compressed("a.example", *[(1, V4)] * 30),
        compressed("a.b.c.d.e.f.g.h.example", (5, wire_name("b.example")), (1, V4)),
        compressed("a.example", (1, V4), owner=b"\1x" + POINTER),
        answer(query("a.example"), [("a.example", RecordType.A, V4)], NO_ERROR),
    ],
}
