# SPDX-License-Identifier: Apache-2.0
"""Blocks give back the bodies that they were made of, and nothing of what is no block."""

from __future__ import annotations

import zlib

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rows import row, rows

from sensor.errors import DamagedStoreError
from sensor.wire.block import LARGE_BYTES, MOST_ROWS, blocks, pack, unpack


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_bodies_come_back(bodies: list[bytes]) -> None:
    """Whatever bytes they are."""
    assert unpack(pack(bodies)) == bodies


@pytest.mark.parametrize(
    ("seqs", "starts"),
    [
        ([], []),
        ([7], [7]),
        (range(1, MOST_ROWS + 1), [1]),
        (range(1, MOST_ROWS + 2), [1, MOST_ROWS + 1]),
        ([1, 2, 4, 5, 9], [1, 4, 9]),
    ],
)
def test_a_block_has_no_hole_and_is_not_large(seqs: list[int], starts: list[int]) -> None:
    """So a body is found by its place in it."""
    made = dict(blocks([row(seq) for seq in seqs]))
    assert list(made) == starts
    found = {first + at: body for first, one in made.items() for at, body in enumerate(unpack(one))}
    assert found == {seq: row(seq).body for seq in seqs}


def test_large_bodies_share_no_block() -> None:
    """To read one takes no more than a few others."""
    assert [first for first, _ in blocks(rows(1, 3, pad=LARGE_BYTES))] == [1, 2, 3]


def test_neighbours_take_a_fraction_of_their_room() -> None:
    """The bodies of a batch are much alike."""
    bodies = [one.body for one in rows(1, MOST_ROWS, pad=600)]
    assert len(pack(bodies)) * 9 < sum(map(len, bodies))


@pytest.mark.parametrize(
    "block",
    [
        None,
        7,
        "text",
        b"",
        b"garbage",
        pack([b"cut"])[:-6],
        zlib.compress(b"\xc1"),
        zlib.compress(msgpack.packb({"a": 1})),
        zlib.compress(msgpack.packb(["text"])),
        zlib.compress(msgpack.packb([b""]) * 2),
        zlib.compress(msgpack.packb([bytes(1 << 26)])),
    ],
)
def test_what_is_no_block_is_told(block: object) -> None:
    """Also what would unpack to more than any block has."""
    with pytest.raises(DamagedStoreError):
        unpack(block)


@given(st.binary())
def test_no_bytes_do_any_other_harm(raw: bytes) -> None:
    """Any bytes give bodies or the error."""
    for block in (raw, zlib.compress(raw)):
        try:
            unpack(block)
        except DamagedStoreError:
            continue
