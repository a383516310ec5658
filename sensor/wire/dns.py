# SPDX-License-Identifier: Apache-2.0
"""DNS answers: the question's name and the addresses that it got (RFC 1035, 3596).

A message that was cut short gives what its whole records say. CNAMEs are not
followed by name: resolvers put the chain of the question into one answer, so
each address in it belongs to the question.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from sensor.errors import DamagedRecordError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.facts import Address

HEADER_BYTES = 12
TYPE_A, TYPE_AAAA, CLASS_IN = 1, 28, 1
_RESPONSE, _TRUNCATED, _RCODE = 0x8000, 0x0200, 0x000F
# Bits of a length byte that make it a pointer (RFC 1035, 4.1.4).
_POINTER = 0xC0
_RECORD_BYTES = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What one message said. ``name`` is lower case, without the last dot."""

    name: bytes
    addresses: tuple[Address, ...]
    rcode: int
    cut: bool


def _word(message: bytes, at: int) -> int:
    return int.from_bytes(message[at : at + 2], "big")


def _question(message: bytes) -> tuple[bytes, int]:
    """Read the name in the question section. Returns it and the offset behind the section."""
    labels, at = [], HEADER_BYTES
    while at < len(message) and (length := message[at]):
        if length & _POINTER or at + 1 + length >= len(message):
            raise DamagedRecordError(f"DNS answer: no name at byte {at}")
        labels.append(message[at + 1 : at + 1 + length])
        at += 1 + length
    return b".".join(labels).lower(), at + 5


def _skip_name(message: bytes, at: int) -> int:
    while at < len(message) and (length := message[at]):
        if length & _POINTER:
            return at + 2
        at += 1 + length
    return at + 1


def _addresses(message: bytes, at: int, count: int) -> Iterator[Address]:
    """Give the addresses of ``count`` records from ``at`` on, as far as the message is whole."""
    for _ in range(count):
        at = _skip_name(message, at)
        kind, klass, size = (_word(message, at + offset) for offset in (0, 2, 8))
        at += _RECORD_BYTES
        raw = message[at : at + size]
        if at + size > len(message):
            return
        if (kind, klass, size) == (TYPE_A, CLASS_IN, 4):
            yield IPv4Address(raw)
        elif (kind, klass, size) == (TYPE_AAAA, CLASS_IN, 16):
            yield IPv6Address(raw)
        at += size


def read(message: bytes) -> Answer:
    """Read one answer as it came over UDP.

    Raises DamagedRecordError for what is no answer to one question.
    """
    flags, questions, count = (_word(message, at) for at in (2, 4, 6))
    if len(message) < HEADER_BYTES or not flags & _RESPONSE or questions != 1:
        raise DamagedRecordError(f"DNS: {len(message)} bytes are no answer to one question")
    name, at = _question(message)
    return Answer(
        name=name,
        addresses=tuple(_addresses(message, at, count)),
        rcode=flags & _RCODE,
        cut=bool(flags & _TRUNCATED),
    )
