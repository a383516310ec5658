# SPDX-License-Identifier: Apache-2.0
"""The part of DNS that a name server for tests needs (RFC 1035, 4.1)."""

from __future__ import annotations

import struct
from enum import IntEnum

_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!2HIH")
_RESPONSE = 0x8180  # QR, RD, RA
_CLASS_IN = 1
_TTL_S = 60


class RecordType(IntEnum):
    """Types that the lab answers; any other gets an empty answer (RFC 3596 for AAAA)."""

    A = 1
    CNAME = 5
    AAAA = 28


NO_ERROR, NAME_ERROR = 0, 3


def question(message: bytes) -> tuple[str, int, bytes]:
    """Give the name asked for, lower case and without the last dot, its type, and the section."""
    at, labels = _HEADER.size, []
    while length := message[at]:
        labels.append(message[at + 1 : at + 1 + length].decode("ascii", "backslashreplace"))
        at += 1 + length
    end = at + 5  # the root label, QTYPE, QCLASS
    (kind,) = struct.unpack_from("!H", message, at + 1)
    return ".".join(labels).lower(), kind, message[_HEADER.size : end]


def answer(query: bytes, records: list[tuple[str, RecordType, bytes]], rcode: int) -> bytes:
    """Build the response to ``query``; the order of ``records`` (owner, type, data) is kept."""
    _, _, section = question(query)
    (number,) = struct.unpack_from("!H", query)
    out = _HEADER.pack(number, _RESPONSE | rcode, 1, len(records), 0, 0) + section
    for owner, kind, content in records:
        out += wire_name(owner) + _RECORD.pack(kind, _CLASS_IN, _TTL_S, len(content))
        out += content
    return out


def wire_name(name: str) -> bytes:
    """Spell ``name`` as labels, uncompressed."""
    labels = [label.encode("ascii") for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
