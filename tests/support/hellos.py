# SPDX-License-Identifier: Apache-2.0
"""ClientHellos: recorded from real clients, and built field by field."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).resolve().parents[1] / "fuzz" / "hellos.txt"


class Recorded(NamedTuple):
    """What a client said first; ``name`` is None where it said none."""

    client: str
    name: str | None
    hello: bytes


def recorded() -> list[Recorded]:
    """Read those of tests/fuzz/hellos.txt."""
    lines = [line.split("\t") for line in _FILE.read_text("utf-8").splitlines() if line[0] != "#"]
    return [
        Recorded(client, None if name == "-" else name, bytes.fromhex(text))
        for client, name, text in lines
    ]


def extension(kind: int, content: bytes) -> bytes:
    """Build an extension (RFC 8446, 4.2)."""
    return struct.pack("!HH", kind, len(content)) + content


def server_name(name: bytes, *, kind: int = 0, size: int | None = None) -> bytes:
    """Build the extension of RFC 6066, 3; ``size`` is what it says of the name."""
    entry = struct.pack("!BH", kind, len(name) if size is None else size) + name
    return extension(0, struct.pack("!H", len(entry)) + entry)


def hello(
    *extensions: bytes, session: int = 32, ciphers: int = 34, more: bytes = b"", claims: int = 0
) -> bytes:
    """Build a ClientHello in one record.

    ``more`` follows in the same record, and the hello says that it has so many bytes more.
    """
    block = b"".join(extensions)
    body = b"\x03\x03" + bytes(range(32)) + bytes([session]) + b"s" * session
    body += struct.pack("!H", ciphers) + b"c" * ciphers + b"\x01\x00"
    body += struct.pack("!H", len(block)) + block
    message = b"\x01" + (len(body) + claims).to_bytes(3, "big") + body + more
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message
