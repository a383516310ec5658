# SPDX-License-Identifier: Apache-2.0
"""The readers of probes/ as the host's compiler makes them, with its checks of memory on."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from support import reference
from support.reference import Heard, labels_of, suffixes_of
from support.structs import PROBES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

FUZZ = Path(__file__).resolve().parents[1] / "fuzz"
SUFFIXES = 6  # probes/policy.h
STEPS = 96  # probes/dns.h
_NO_IP4 = 2**64 - 1
# What the readers wait for before they decide anything: most of a hello's head, "PROPPATCH http://".
_LEAST_HELLO, _LEAST_REQUEST = 46, 18
_CC = (
    "cc", "-g", "-O1", "-Wall", "-Wextra", "-Wno-sign-compare", "-Werror",
    # Eight bytes are read wherever they begin: the verifier admits that where the processor does.
    "-fsanitize=address,undefined", "-fno-sanitize=alignment", "-fno-sanitize-recover=all",
)  # fmt: skip


class Name(NamedTuple):
    """A name as the kernel has it."""

    labels: int
    suffixes: list[int]


NONE = Name(0, [0] * SUFFIXES)


@dataclass(frozen=True, slots=True)
class Readers:
    """The program of tests/fuzz/read.c."""

    program: Path

    def heard(
        self, messages: Sequence[bytes], *, stale: int = 0xFF
    ) -> Iterator[tuple[Heard, Name]]:
        """Have the first words of connections read; ``stale`` fills the buffer before."""
        for message, line in zip(messages, self.read("hello", messages, stale), strict=True):
            kind, *words = line.split(" ")
            if not words:
                yield Heard(kind), NONE
                continue
            place, port, ip4, *rest = words
            name = _name(rest)
            text = _at(message, place) if name.labels else b""
            address = int(ip4, 16)
            yield Heard(kind, text, int(port), None if address == _NO_IP4 else address), name

    def learned(
        self, messages: Sequence[bytes], *, stale: int = 0xFF
    ) -> Iterator[tuple[Name, tuple[bytes, ...]]]:
        """Have DNS messages read."""
        for message, line in zip(messages, self.read("dns", messages, stale), strict=True):
            words = line.split(" ")
            places = words[1 + SUFFIXES :]
            yield _name(words), tuple(_at(message, place) for place in places)

    def read(self, kind: str, messages: Sequence[bytes], stale: int) -> list[str]:
        """Give what the program prints of each message; ``stale`` fills its buffer before."""
        lines = "".join(f"{kind} {message.hex()}\n" for message in messages)
        done = subprocess.run(
            [self.program, str(stale)], input=lines, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


def _name(words: Sequence[str]) -> Name:
    return Name(int(words[0]), [int(word, 16) for word in words[1 : 1 + SUFFIXES]])


def _at(message: bytes, place: str) -> bytes:
    at, size = map(int, place.split("+"))
    assert at + size <= len(message), "found beyond the message"
    return message[at : at + size]


def compiled(folder: Path) -> Readers:
    """Compile the readers."""
    program = folder / "read"
    subprocess.run([*_CC, f"-I{PROBES}", f"-I{FUZZ}", FUZZ / "read.c", "-o", program], check=True)
    return Readers(program)


def named(labels: tuple[bytes, ...]) -> Name:
    """Give what the kernel has to make of a name."""
    return Name(len(labels), suffixes_of(labels, SUFFIXES))


def hold_heard(readers: Readers, messages: Sequence[bytes], *, stale: int = 0xFF) -> None:
    """Fail unless the readers hear what the reference hears, or wait for more that may come."""
    for message, (found, name) in zip(messages, readers.heard(messages, stale=stale), strict=True):
        wanted = reference.heard(message)
        if found.kind != wanted.kind and "part" in {found.kind, wanted.kind}:
            _hold_early(message, found, wanted)
            continue
        assert found == wanted._replace(end=0), message.hex()
        assert name == (named(labels_of(found.name)) if found.name else NONE), message.hex()


def _hold_early(message: bytes, found: Heard, wanted: Heard) -> None:
    """Fail unless no more can come of it: one of the two has seen earlier that there is no name."""
    nameless = {"part", "nothing", "unreadable"}
    assert {found.kind, wanted.kind} <= nameless, message.hex()
    if found.kind == "part":
        least = _LEAST_HELLO if message[0] == 0x16 else _LEAST_REQUEST
        seen = len(message[: reference.LOOKED_AT])
        assert seen < max(least, wanted.end), message.hex()
        return
    missing = reference.hello_end(message) - len(message)
    for byte in (b"\0", b"\1", b"\xff"):
        assert reference.heard(message + byte * missing).kind in nameless, message.hex()


def hold_learned(readers: Readers, messages: Sequence[bytes], *, stale: int = 0xFF) -> None:
    """Fail unless the readers learn what the reference learns, up to a bound of theirs."""
    results = readers.learned(messages, stale=stale)
    for message, (name, addresses) in zip(messages, results, strict=True):
        wanted = reference.learned(message)
        if wanted is None:
            assert not addresses, message.hex()
            continue
        if wanted.steps <= STEPS:
            assert addresses == wanted.addresses, message.hex()
        assert addresses == wanted.addresses[: len(addresses)], message.hex()
        assert name == (named(wanted.labels) if addresses else NONE), message.hex()


def mutants(seeds: Sequence[bytes], count: int, chance: Random) -> list[bytes]:
    """Damage messages: bytes changed, lengths off by little, cut, doubled, spliced."""
    made = []
    for _ in range(count):
        message = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 6)):
            _damage(message, seeds, chance)
        made.append(bytes(message))
    return made


def _damage(message: bytearray, seeds: Sequence[bytes], chance: Random) -> None:
    at = chance.randrange(len(message) + 1)
    match chance.randrange(6):
        case 0 if at < len(message):
            message[at] = chance.choice((0, 1, 4, 63, 64, 0xC0, 0xFF, chance.randrange(256)))
        case 1 if at < len(message):
            message[at] = (message[at] + chance.choice((-1, 1))) & 0xFF
        case 2 if len(message) > 1:
            del message[at:]
        case 3:
            message[at:at] = chance.randbytes(chance.randint(1, 8))
        case 4:
            del message[at : at + chance.randint(1, 8)]
        case _:
            other = chance.choice(seeds)
            message[at:] = other[chance.randrange(len(other)) :]
    if not message:
        message += chance.choice(seeds)
