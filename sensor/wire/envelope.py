# SPDX-License-Identifier: Apache-2.0
"""Envelopes: how one message after the other goes over the stream's socket.

Four bytes, big-endian, that count what follows; one byte, the version; a
msgpack map. The map's meaning is in ``requests`` and ``answers``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import msgpack

from sensor.errors import FrameError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VERSION = 1

LARGEST_BYTES = 1024 * 1024
"""Of what the length counts; as in NATS, whose max_payload it is by default."""

# Of one list or map: a filter's longest list is 256, a status' some dozen. Without
# a bound, msgpack makes room for as many as a frame claims, at every level anew.
_MOST_MEMBERS = 1024

_HEAD = struct.Struct(">IB")
_LENGTH_BYTES = 4
_VERSION_BYTES = 1

_pack = msgpack.Packer(autoreset=True).pack


def envelope(message: Mapping[str, object]) -> bytes:
    """Return a message as it goes over the socket.

    Raises FrameError when it is larger than the other end would take.
    """
    packed: bytes = _pack(message)
    if len(packed) + _VERSION_BYTES > LARGEST_BYTES:
        raise FrameError(f"a message of {len(packed)} bytes: at most {LARGEST_BYTES} are taken")
    return _HEAD.pack(len(packed) + _VERSION_BYTES, VERSION) + packed


class Reader:
    """Finds the messages in bytes that come in pieces of any size."""

    def __init__(self, *, largest_bytes: int = LARGEST_BYTES) -> None:
        self._largest_bytes = largest_bytes
        self._bytes = bytearray()
        self._read = 0

    @property
    def waiting_bytes(self) -> int:
        """How much came of messages that were not taken yet, or are not whole."""
        return len(self._bytes) - self._read

    def feed(self, piece: bytes) -> Iterator[dict[str, object]]:
        """Take a piece and return the messages that are whole now.

        They are read as they are asked for; what is not asked for waits for the
        next call. Raises FrameError, then, at what is no message: nothing after
        it can be found, and every further call raises the same.
        """
        del self._bytes[: self._read]
        self._read = 0
        self._bytes += piece
        return self._messages()

    def _messages(self) -> Iterator[dict[str, object]]:
        while self.waiting_bytes >= _LENGTH_BYTES + _VERSION_BYTES:
            size, version = _HEAD.unpack_from(self._bytes, self._read)
            if version != VERSION:
                raise FrameError(f"a frame of version {version}: only {VERSION} is understood here")
            if not _VERSION_BYTES < size <= self._largest_bytes:
                raise FrameError(f"a frame of {size} bytes: expected 2 to {self._largest_bytes}")
            end = self._read + _LENGTH_BYTES + size
            if end > len(self._bytes):
                return
            start = self._read + _LENGTH_BYTES + _VERSION_BYTES
            message = unpack(bytes(self._bytes[start:end]))
            self._read = end
            yield message


def unpack(
    packed: bytes, *, most_members: int = _MOST_MEMBERS, errors: str = "strict"
) -> dict[str, object]:
    """Return the map that msgpack bytes are. Raises FrameError where they are none.

    ``errors`` is what becomes of text that is no UTF-8, as for ``bytes.decode``.
    """
    try:
        message = msgpack.unpackb(
            packed,
            max_array_len=most_members,
            max_map_len=most_members,
            max_ext_len=0,
            unicode_errors=errors,
        )
    except ValueError as problem:  # msgpack's own errors are ValueErrors, some without a word
        why = str(problem) or type(problem).__name__
        raise FrameError(f"a frame that is no msgpack: {why}") from problem
    if not isinstance(message, dict):
        raise FrameError(f"a frame with a {type(message).__name__} in it: expected a map")
    if not all(isinstance(name, str) for name in message):
        raise FrameError("a frame with a map of bytes in it: expected text for names")
    return message
