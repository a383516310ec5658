# SPDX-License-Identifier: Apache-2.0
"""DNS answers are read to the name asked for and the addresses given, or refused."""

from __future__ import annotations

import struct
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.errors import DamagedRecordError
from sensor.wire import dns

POINTER = b"\xc0\x0c"  # to the question
V4, V6 = IPv4Address("192.0.2.1"), IPv6Address("2001:db8::1")


def name(text: str) -> bytes:
    """Write a name as labels."""
    labels = [label.encode() for label in text.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(kind: int, payload: bytes, owner: bytes = POINTER, klass: int = 1) -> bytes:
    """Write one resource record with a TTL of a minute."""
    return owner + struct.pack("!HHIH", kind, klass, 60, len(payload)) + payload


def answer(question: str, *records: bytes, flags: int = 0x8180, count: int | None = None) -> bytes:
    """Write a message with one question."""
    records_said = len(records) if count is None else count
    head = struct.pack("!6H", 1, flags, 1, records_said, 0, 0)
    return head + name(question) + struct.pack("!HH", 1, 1) + b"".join(records)


A = record(1, V4.packed)
AAAA = record(28, V6.packed)

CASES = [
    ("an address", answer("api.example", A), (V4,)),
    ("both families", answer("api.example", A, AAAA), (V4, V6)),
    ("none", answer("api.example"), ()),
    ("a CNAME chain", answer("api.example", record(5, name("cdn.example")), A), (V4,)),
    ("an owner in full", answer("api.example", record(1, V4.packed, name("x.example"))), (V4,)),
    ("a half pointer", answer("api.example", record(1, V4.packed, b"\x01x" + POINTER)), (V4,)),
    ("another class", answer("api.example", record(1, V4.packed, klass=3)), ()),
    ("an A of the wrong size", answer("api.example", record(1, b"12345")), ()),
    ("a record cut short", answer("api.example", A, AAAA[:-1]), (V4,)),
    ("fewer records than said", answer("api.example", A, count=2), (V4,)),
    ("more records than said", answer("api.example", A, AAAA, count=1), (V4,)),
]


@pytest.mark.parametrize(
    ("message", "addresses"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_an_answer_gives_its_addresses(
    message: bytes, addresses: tuple[IPv4Address | IPv6Address, ...]
) -> None:
    """Whole A and AAAA records of class IN count, whoever owns them; nothing else does."""
    assert dns.read(message) == dns.Answer(b"api.example", addresses, 0, cut=False)


def test_a_name_is_lower_case() -> None:
    """Resolvers that mix the case of questions change no name."""
    assert dns.read(answer("aPi.ExAmple")).name == b"api.example"


def test_a_refusal_has_its_code() -> None:
    """NXDOMAIN is 3 and gives no address."""
    assert dns.read(answer("gone.example", flags=0x8183)).rcode == 3


def test_a_truncated_answer_says_so() -> None:
    """The TC bit means that the client will ask over TCP."""
    assert dns.read(answer("big.example", flags=0x8380)).cut


@pytest.mark.parametrize(
    "message",
    [
        b"",
        answer("api.example")[:11],
        answer("api.example", flags=0x0100),
        struct.pack("!6H", 1, 0x8180, 2, 0, 0, 0) + b"\0",
        struct.pack("!6H", 1, 0x8180, 1, 0, 0, 0) + b"\xc0\x0c",
        struct.pack("!6H", 1, 0x8180, 1, 0, 0, 0) + b"\x20short",
    ],
    ids=["nothing", "half a header", "a question", "two questions", "a pointer", "a short label"],
)
def test_what_is_no_answer_is_refused(message: bytes) -> None:
    """A message without one readable question is a damaged record."""
    with pytest.raises(DamagedRecordError):
        dns.read(message)


@given(st.binary(max_size=600))
def test_any_bytes_give_an_answer_or_a_damaged_record(message: bytes) -> None:
    """Nothing else is ever raised, and nothing hangs."""
    with suppress(DamagedRecordError):
        dns.read(message)


@given(st.binary(max_size=200))
def test_any_bytes_behind_a_good_question_give_an_answer(rest: bytes) -> None:
    """Garbage among the records costs addresses, not the name."""
    assert dns.read(answer("api.example", rest, count=65535)).name == b"api.example"
