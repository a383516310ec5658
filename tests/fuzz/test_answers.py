# SPDX-License-Identifier: Apache-2.0
"""DNS answers teach the kernel what they give for the name asked for, and no more."""

from __future__ import annotations

import socket
from random import Random
from typing import TYPE_CHECKING

import pytest
from support.dns import NAME_ERROR, NO_ERROR, RecordType, answer, wire_name
from support.readers import NONE, hold_learned, mutants, named
from support.seeds import POINTER, V4, V6, compressed, query

if TYPE_CHECKING:
    from support.readers import Readers

NAME = "Api.Recorded.Example"
LABELS = (b"api", b"recorded", b"example")


def many(count: int) -> list[tuple[int, bytes]]:
    """Give so many addresses."""
    return [(RecordType.A, socket.inet_aton(f"192.0.2.{number}")) for number in range(count)]


CHAIN = [
    (NAME, RecordType.CNAME, wire_name("edge.cdn.example")),
    ("edge.cdn.example", RecordType.CNAME, wire_name("a.cdn.example")),
    ("a.cdn.example", RecordType.A, V4),
    ("a.cdn.example", RecordType.AAAA, V6),
]
CASES = [
    ("in full", answer(query(NAME), [(NAME, RecordType.A, V4)], NO_ERROR), (V4,)),
    ("compressed", compressed(NAME, (1, V4)), (V4,)),
    ("both families", compressed(NAME, (1, V4), (28, V6)), (V4, V6)),
    ("a chain", answer(query(NAME), CHAIN, NO_ERROR), (V4, V6)),
    ("thirty", compressed(NAME, *many(30)), tuple(content for _, content in many(30))),
    ("as many as there are steps", compressed(NAME, *many(96)), tuple(c for _, c in many(96))),
    ("no more than steps", compressed(NAME, *many(100)), tuple(c for _, c in many(96))),
    ("a pointer behind a label", compressed(NAME, (1, V4), owner=b"\x01x" + POINTER), (V4,)),
    ("a pointer to itself", compressed(NAME, (1, V4), owner=b"\xc0\x26"), (V4,)),
    ("others between", compressed(NAME, (16, b"\3txt"), (1, V4), (65, bytes(20))), (V4,)),
    ("none", compressed(NAME), ()),
    ("no such name", answer(query(NAME), [(NAME, RecordType.A, V4)], NAME_ERROR), ()),
    ("an address of five bytes", compressed(NAME, (1, V4 + b"x"), (1, V4)), (V4,)),
    ("a hostile count", compressed(NAME, (1, V4), count=65535), (V4,)),
    ("a count too low", compressed(NAME, (1, V4), (28, V6), count=1), (V4,)),
    ("a question", query(NAME) + compressed(NAME, (1, V4)), ()),
    ("two questions", b"\0\7\x81\x80\0\2\0\1" + compressed(NAME, (1, V4))[8:], ()),
    ("a pointer in the question", b"\0\7\x81\x80\0\1\0\1\0\0\0\0\xc0\x0c\0\1\0\1" + POINTER
     + b"\0\1\0\1\0\0\0\x3c\0\4" + V4, ()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "addresses"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_an_answer_teaches_its_addresses(
    readers: Readers, message: bytes, addresses: tuple[bytes, ...]
) -> None:
    """Whoever the records belong to; what lay in the buffer before does not count."""
    wanted = named(LABELS) if addresses else NONE
    for stale in (0, 1, 0xFF):
        assert list(readers.learned([message], stale=stale)) == [(wanted, addresses)]


@pytest.mark.parametrize("message", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_an_answer_cut_short_teaches_what_is_whole(readers: Readers, message: bytes) -> None:
    """Cut at every byte, an address is there as soon as its last byte is, and no sooner."""
    parts = [message[:count] for count in range(1, len(message) + 1)]
    counts = [len(addresses) for _, addresses in readers.learned(parts)]
    assert counts == sorted(counts)
    hold_learned(readers, parts)


@pytest.mark.parametrize(
    "name",
    ["", "x", "a.b.c.d.e.f.g.h.i.example", f"{'x' * 63}.{'y' * 63}.{'z' * 63}.{'w' * 61}"],
    ids=["root", "one", "ten", "longest"],
)
def test_a_name_is_known_by_its_last_labels(readers: Readers, name: str) -> None:
    """Of whatever length names can have."""
    labels = tuple(label.encode() for label in name.split(".") if label)
    assert list(readers.learned([compressed(name, (1, V4))])) == [(named(labels), (V4,))]


def test_a_name_longer_than_names_are_teaches_nothing(readers: Readers) -> None:
    """RFC 1035, 2.3.4: 255 bytes."""
    name = f"{'x' * 63}.{'y' * 63}.{'z' * 63}.{'w' * 62}"
    assert list(readers.learned([compressed(name, (1, V4))])) == [(NONE, ())]


def test_any_damage_teaches_what_the_reference_finds(readers: Readers) -> None:
    """Twenty thousand damaged answers: no address is made up, and no read goes astray."""
    seeds = [case[1] for case in CASES]
    hold_learned(readers, mutants(seeds, 20_000, Random(1)))  # noqa: S311  # the same each time
