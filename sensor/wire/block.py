# SPDX-License-Identifier: Apache-2.0
"""Blocks: the bodies of neighbouring events, compressed together.

Bodies share their names and most of their values: 64 of them take a ninth of
their room, one alone three quarters. So the disk has less to write, which is
what bounds the store's rate, and keeps more of the past.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import msgpack

from sensor.errors import DamagedStoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sensor.wire.row import Row

MOST_ROWS = 64
"""To read one body, all before it in the block are read: this many take 0.1 ms."""

LARGE_BYTES = 1 << 18
"""A block that has so much takes no more rows."""

_MOST_BYTES = 1 << 26
"""A block that unpacks to more was not written by us: 64 bodies of 1 MiB, the most of a frame."""

_LEVEL = 1
"""zlib.h, Z_BEST_SPEED: level 6 takes 2.5 times as long for a tenth less."""


def blocks(rows: Sequence[Row]) -> Iterator[tuple[int, bytes]]:
    """Yield blocks with the seq that each begins at; in a block there is no hole."""
    bodies: list[bytes] = []
    first = size = 0
    for row in rows:
        if bodies and (
            row.seq != first + len(bodies) or len(bodies) == MOST_ROWS or size >= LARGE_BYTES
        ):
            yield first, pack(bodies)
            bodies, size = [], 0
        if not bodies:
            first = row.seq
        bodies.append(row.body)
        size += len(row.body)
    if bodies:
        yield first, pack(bodies)


def pack(bodies: Sequence[bytes]) -> bytes:
    """Compress bodies."""
    return zlib.compress(msgpack.packb(bodies), _LEVEL)


def unpack(block: object) -> list[bytes]:
    """Return the bodies of a block. Raises DamagedStoreError for what is no block."""
    try:
        plain = zlib.decompressobj().decompress(block, _MOST_BYTES)  # type: ignore[arg-type]  # TypeError
        bodies = msgpack.unpackb(plain)
    except (zlib.error, TypeError, ValueError, msgpack.UnpackException) as problem:
        raise DamagedStoreError(f"a block of bodies cannot be unpacked: {problem}") from problem
    if not isinstance(bodies, list) or not all(isinstance(one, bytes) for one in bodies):
        raise DamagedStoreError("a block holds something else than bodies")
    return bodies
