# SPDX-License-Identifier: Apache-2.0
"""What messages say, read plainly: the readers of probes/ are held to this, and it to the RFCs.

Written without a look at theirs: bytes are taken one field after another, and
what a message lacks or breaks is an exception.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

LOOKED_AT = 4096
"""Bytes of a message that the kernel looks at."""

METHOD_BYTES = 10

NAME_BYTES = 254
"""A name has at most 255 bytes on the wire, the length of its first label among them."""

_SEED, _PRIME, _FACTOR, _U64 = 0xCBF29CE484222325, 0x100000001B3, 0x9E3779B97F4A7C15, 2**64 - 1


class PartError(Exception):
    """The message ends too early."""


class BrokenError(Exception):
    """The message is none."""


@dataclass(slots=True)
class Bytes:
    """Takes a message from its front. What lies behind ``end`` is not part of it."""

    message: bytes
    at: int = 0
    end: int = field(default=1 << 32)

    def take(self, count: int) -> bytes:
        """Give the next bytes."""
        if self.at + count > self.end:
            raise BrokenError
        if self.at + count > len(self.message):
            raise PartError
        self.at += count
        return self.message[self.at - count : self.at]

    def number(self, count: int) -> int:
        """Give the next bytes as a number."""
        return int.from_bytes(self.take(count), "big")


class Heard(NamedTuple):
    """The first words of a connection: of what kind, and for ``sni`` and ``proxy`` whom for.

    ``end`` is where the message ends that this was found in, as far as it says.
    """

    kind: str
    name: bytes = b""
    port: int = 0
    ip4: int | None = None
    end: int = 0


# More blanks behind CONNECT than any client sends.
BLANKS = 8


class Learned(NamedTuple):
    """The labels asked for, the addresses given, and the labels and records on the way to them."""

    labels: tuple[bytes, ...]
    addresses: tuple[bytes, ...]
    steps: int


def heard(message: bytes) -> Heard:
    """Read a ClientHello (RFC 8446) or what is asked of a proxy (RFC 9112)."""
    message = message[:LOOKED_AT]
    try:
        if message[:1] == b"\x16":
            return _hello(message)
        if message[:1] in {b"\r", b"\n"}:  # empty lines, behind which all may come
            return Heard("part")
        return _request(message)
    except PartError:
        return Heard("part")


def _hello(message: bytes) -> Heard:
    record = Bytes(message)
    head = record.take(6)
    if (head[1], head[5]) != (3, 1):
        return Heard("nothing")
    record_bytes, hello_bytes = int.from_bytes(head[3:5], "big"), record.number(3)
    if record_bytes < hello_bytes + 4:
        return Heard("unreadable")
    hello = Bytes(message, record.at, record.at + hello_bytes)
    try:
        name = _server_name(hello)
    except BrokenError:
        name = None
    if name is None or len(name) > NAME_BYTES:
        return Heard("nothing", end=hello.end)
    return Heard("sni", _host(name), end=hello.end)


def hello_end(message: bytes) -> int:
    """Tell where a ClientHello says that it ends."""
    return 9 + int.from_bytes(message[6:9], "big")


def _server_name(hello: Bytes) -> bytes | None:
    hello.take(2 + 32)  # version, random
    hello.take(hello.number(1))  # session
    hello.take(hello.number(2))  # cipher suites
    hello.take(hello.number(1))  # compression
    hello.take(2)
    while hello.at < hello.end:
        kind, size = divmod(hello.number(4), 1 << 16)
        if kind:
            hello.at += size  # passed over: it need not be there
            continue
        names = Bytes(hello.take(size), end=size)
        names.take(2)
        return names.take(names.number(2)) if names.number(1) == 0 else None
    return None


def _host(text: bytes) -> bytes:
    """Cut a name where no host's name goes on."""
    ends = [at for at, letter in enumerate(text) if _ends(letter)]
    return text[: ends[0]] if ends else text


def _ends(letter: int) -> bool:
    return letter <= ord(" ") or letter in b":/?#"


def _request(message: bytes) -> Heard:
    method, blank, target = message.partition(b" ")
    if len(method) > METHOD_BYTES or re.search(rb"[^A-Z]", method) or message[:1] == b" ":
        return Heard("nothing")
    if not blank:
        raise PartError
    if method == b"CONNECT":
        target = target[:BLANKS].lstrip(b" ") + target[BLANKS:]
    else:
        if target[:7].lower() != b"http://"[: len(target)]:
            return Heard("nothing")
        if len(target) < 7:
            raise PartError
        target = target[7:]
    return _target(target)


def _target(target: bytes) -> Heard:
    name = _host(target[: NAME_BYTES + 1])
    if len(name) > NAME_BYTES:
        return Heard("proxy")
    rest = target[len(name) :]
    if not rest:
        raise PartError
    if rest[:1] != b":":
        return Heard("proxy", name, 80, _ip4(name))
    # What follows is "443 HTTP/1.1" at least.
    if len(rest) < 1 + 6:
        raise PartError
    port = re.match(rb"[0-9]{0,6}", rest[1:])
    assert port
    digits = port.group()
    if len(digits) == 6 or not _ends(rest[1 + len(digits)]):
        return Heard("proxy")
    return Heard("proxy", name, int(digits or b"0"), _ip4(name))


def _ip4(name: bytes) -> int | None:
    """Read the one way to write an address that all agree on."""
    parts = name.split(b".")
    if [part for part in parts if not part.isdigit() or str(int(part)).encode() != part]:
        return None
    if len(parts) != 4 or max(map(int, parts)) > 255:
        return None
    return int.from_bytes(bytes(map(int, parts)), "big")


def learned(message: bytes) -> Learned | None:
    """Read a DNS answer (RFC 1035) as far as it goes; None where it teaches nothing."""
    answer = Bytes(message[:LOOKED_AT])
    labels: list[bytes] = []
    addresses: list[bytes] = []
    steps = 0
    try:
        answer.take(2)
        flags, questions, count = (answer.number(2) for _ in range(3))
        if flags & 0xF80F != 0x8000 or questions != 1:
            return None
        answer.take(4)
        while size := answer.number(1):
            if size > 63 or answer.at + size > 12 + 254:
                return None
            labels.append(answer.take(size))
        answer.take(4)
        for _ in range(count):
            steps += _owner(answer)
            kind, klass = answer.number(2), answer.number(2)
            answer.take(4)
            given = answer.take(answer.number(2))
            if klass == 1 and (kind, len(given)) in {(1, 4), (28, 16)}:
                addresses.append(given)
    except PartError:
        pass
    return Learned(tuple(labels), tuple(addresses), steps) if addresses else None


def _owner(answer: Bytes) -> int:
    """Pass over the name of a record, whose it is; give its labels and the record itself."""
    steps = 1
    while size := answer.number(1):
        if size > 63:  # a pointer, of which two bytes are all
            answer.take(1)
            break
        answer.take(size)
        steps += 1
    return steps


def labels_of(name: bytes) -> tuple[bytes, ...]:
    """Part a name; a dot at its end is no part of it."""
    labels = name.split(b".")
    return tuple(labels[:-1] if not labels[-1] else labels)


def suffixes_of(labels: tuple[bytes, ...], count: int) -> list[int]:
    """Hash the suffixes of a name, the shortest first; what there is none of is 0."""
    hashes, value = [], _SEED
    for label in reversed(labels[-count:]):
        inner = _SEED
        for byte in label.lower():  # of bytes: ASCII alone
            inner = (inner ^ byte) * _PRIME & _U64
        value = (value ^ inner) * _FACTOR & _U64
        value ^= value >> 29
        hashes.append(value)
    return [*hashes, *[0] * (count - len(hashes))]
