# SPDX-License-Identifier: Apache-2.0
"""Lines of a file that may be long, packed, or no text at all; a bounded part of it at a time."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from sensor.edge.audit_root import windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST_BYTES = 1 << 16
"""Of a line; what is longer is cut."""

_BLOCK_BYTES = 1 << 20
_GZIP = 31  # zlib's wbits for the gzip format


def lines(fd: int, name: str, limit: int) -> Iterator[str]:
    """Go through the lines of a regular file in an open folder; ``.gz`` is unpacked on the way."""
    parts = windows(fd, name, limit, _BLOCK_BYTES)
    rest, is_cut = b"", False
    for part in _unpacked(parts, limit) if name.endswith(".gz") else parts:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            if not is_cut:
                yield _text(line)
            is_cut = False
        if len(rest) > LONGEST_BYTES:
            if not is_cut:
                yield _text(rest)
            rest, is_cut = b"", True
    if rest and not is_cut:
        yield _text(rest)


def _unpacked(parts: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Unpack up to a limit: a small file can unpack to any size."""
    packer = zlib.decompressobj(_GZIP)
    for part in parts:
        left = part
        while left and limit > 0:
            try:
                block = packer.decompress(left, min(limit, _BLOCK_BYTES))
            except zlib.error:
                return
            yield block
            limit -= len(block)
            left = packer.unconsumed_tail


def _text(line: bytes) -> str:
    return line[:LONGEST_BYTES].decode("utf-8", "replace")
