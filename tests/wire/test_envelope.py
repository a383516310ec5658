# SPDX-License-Identifier: Apache-2.0
"""Any bytes, in pieces of any size, are messages or a FrameError."""

from __future__ import annotations

import struct
from contextlib import suppress

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.errors import BadInputError, FrameError
from sensor.wire.envelope import LARGEST_BYTES, Reader, envelope, unpack

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
MESSAGES = st.dictionaries(st.text("abcdef", max_size=4), PLAIN, max_size=4)


def framed(content: bytes, *, version: int = 1) -> bytes:
    """Return a frame around any bytes."""
    return struct.pack(">IB", len(content) + 1, version) + content


@given(st.lists(MESSAGES, max_size=4), st.data())
def test_messages_come_out_as_they_went_in(
    messages: list[dict[str, object]], data: st.DataObject
) -> None:
    """Wherever the bytes are split, also within the length."""
    sent = b"".join(map(envelope, messages))
    cuts = data.draw(st.lists(st.integers(0, len(sent)), max_size=6).map(sorted))
    reader = Reader()
    got: list[dict[str, object]] = []
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        got += reader.feed(sent[start:end])
    assert got == messages
    assert reader.waiting_bytes == 0


def test_a_message_may_come_in_single_bytes() -> None:
    """Nothing is given before the last byte is there."""
    sent = envelope({"do": "status"})
    reader = Reader()
    for place in range(len(sent) - 1):
        assert not list(reader.feed(sent[place : place + 1]))
    assert list(reader.feed(sent[-1:])) == [{"do": "status"}]


@given(noise=st.binary(max_size=64), within_a_frame=st.booleans())
def test_any_bytes_are_messages_or_an_error(*, noise: bytes, within_a_frame: bool) -> None:
    """Nothing else is raised, and what is given is a map with names."""
    with suppress(FrameError):
        for message in Reader().feed(framed(noise) if within_a_frame else noise):
            assert all(isinstance(name, str) for name in message)


@given(st.binary(min_size=1), st.integers(0), st.integers(0, 255))
def test_one_wrong_byte_does_no_more_than_that(content: bytes, place: int, wrong: int) -> None:
    """A message that is damaged is another message, half of one, or an error."""
    sent = bytearray(envelope({"event": content}))
    sent[place % len(sent)] = wrong
    with suppress(FrameError):
        assert len(list(Reader().feed(bytes(sent)))) <= 1


@pytest.mark.parametrize(
    ("bytes_", "says"),
    [
        (framed(b"\x80", version=2), "a frame of version 2: only 1 is understood here"),
        (struct.pack(">IB", LARGEST_BYTES + 1, 1), f"of {LARGEST_BYTES + 1} bytes: expected 2"),
        (framed(b""), "a frame of 1 bytes: expected 2 to 1048576"),
        (struct.pack(">IB", 0, 1), "a frame of 0 bytes"),
        (framed(b"\xc1"), "a frame that is no msgpack: FormatError"),
        (framed(b"\x81"), "no msgpack: Unpack failed: incomplete input"),
        (framed(b"\x80\x80"), "no msgpack: unpack(b) received extra data"),
        (framed(b"\x81\xa1a" * 2000 + b"\xc0"), "no msgpack: StackError"),
        (framed(b"\x81\xa1\xff\xc0"), "no msgpack: 'utf-8' codec"),
        (framed(b"\x81\xa1a\xdd\x7f\xff\xff\xff"), "no msgpack: 2147483647 exceeds"),
        (framed(b"\x81\xa1a\xd6\xff\0\0\0\0"), "no msgpack: 5 exceeds max_ext_len"),
        (framed(b"\x81\x90\xc0"), "no msgpack: list is not allowed for map key"),
        (framed(b"\x90"), "a frame with a list in it: expected a map"),
        (framed(b"\x81\xc4\x01a\xc0"), "a frame with a map of bytes in it"),
    ],
)
def test_what_is_no_message_is_named(bytes_: bytes, says: str) -> None:
    """The error says what came and what was expected; it is one of bad input."""
    reader = Reader()
    with pytest.raises(FrameError) as raised:
        list(reader.feed(bytes_))
    assert says in str(raised.value)
    assert isinstance(raised.value, BadInputError)
    with pytest.raises(FrameError):
        list(reader.feed(envelope({})))


def test_what_came_before_an_error_is_given() -> None:
    """Messages that were whole and right are not lost with what follows them."""
    messages = Reader().feed(envelope({"a": 1}) + b"\0\0\0\0\0")
    assert next(messages) == {"a": 1}
    with pytest.raises(FrameError):
        next(messages)


def test_what_is_not_asked_for_waits() -> None:
    """A caller may take one message now and the next one after more bytes came."""
    reader = Reader()
    assert next(reader.feed(envelope({"a": 1}) + envelope({"b": 2}))) == {"a": 1}
    assert reader.waiting_bytes == len(envelope({"b": 2}))
    assert list(reader.feed(envelope({"c": 3}))) == [{"b": 2}, {"c": 3}]


def test_a_reader_has_its_own_limit() -> None:
    """What asks may be smaller than what answers; the length is refused before the bytes come."""
    with pytest.raises(FrameError, match="expected 2 to 8"):
        list(Reader(largest_bytes=8).feed(envelope({"a": b"12345678"})[:5]))


def test_what_the_other_end_would_refuse_is_not_sent() -> None:
    """The limit holds on both sides, to the byte."""
    overhead = len(envelope({"event": bytes(1 << 16)})) - 4 - (1 << 16)
    fits = LARGEST_BYTES - overhead
    assert list(Reader().feed(envelope({"event": bytes(fits)}))) == [{"event": bytes(fits)}]
    with pytest.raises(FrameError, match="at most 1048576 are taken"):
        envelope({"event": bytes(fits + 1)})


def test_lists_are_bounded_by_who_reads() -> None:
    """An event's arguments may be many, a request's names are few."""
    packed = msgpack.packb({"a": [0] * 2000})
    with pytest.raises(FrameError, match="2000 exceeds"):
        unpack(packed)
    assert unpack(packed, most_members=2000) == {"a": [0] * 2000}


def test_a_frame_looks_like_this() -> None:
    """The bytes are part of the contract: readers in other languages count on them."""
    assert envelope({"skipped": (7, 300)}).hex(" ") == (
        "00 00 00 0f 01 81 a7 73 6b 69 70 70 65 64 92 07 cd 01 2c"
    )
