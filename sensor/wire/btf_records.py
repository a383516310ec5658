# SPDX-License-Identifier: Apache-2.0
"""The records of a BTF blob, the kernel's own description of its types, with every index checked.

Source: Documentation/bpf/btf.rst and include/uapi/linux/btf.h in the kernel.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from sensor.errors import BadInputError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC: Final = 0xEB9F
SWAPPED_MAGIC: Final = 0x9FEB
VERSION: Final = 1
HEADER: Final = struct.Struct("=HBBIIIII")
DEEPEST: Final = 32  # libbpf's MAX_RESOLVE_DEPTH, tools/lib/bpf/btf.c
KIND_FLAG: Final = 1 << 31  # of info: a struct has bitfields, an enum is signed


class Kind(IntEnum):
    """What a type record is; include/uapi/linux/btf.h: BTF_KIND_*."""

    VOID = 0
    INT = 1
    PTR = 2
    ARRAY = 3
    STRUCT = 4
    UNION = 5
    ENUM = 6
    FWD = 7
    TYPEDEF = 8
    VOLATILE = 9
    CONST = 10
    RESTRICT = 11
    FUNC = 12
    FUNC_PROTO = 13
    VAR = 14
    DATASEC = 15
    FLOAT = 16
    DECL_TAG = 17
    TYPE_TAG = 18
    ENUM64 = 19


ALIASES: Final = frozenset(
    {Kind.TYPEDEF, Kind.VOLATILE, Kind.CONST, Kind.RESTRICT, Kind.TYPE_TAG},
)
COMPOSITES: Final = frozenset({Kind.STRUCT, Kind.UNION})

HEAD_WORDS: Final = 3  # name, info, size or type
# Words that follow a record's head: (always, for each of its vlen entries).
TAIL_WORDS: Final[dict[int, tuple[int, int]]] = {
    **{kind: (0, 0) for kind in Kind if kind != Kind.VOID},
    Kind.INT: (1, 0),
    Kind.ARRAY: (3, 0),
    Kind.STRUCT: (0, 3),
    Kind.UNION: (0, 3),
    Kind.ENUM: (0, 2),
    Kind.FUNC_PROTO: (0, 2),
    Kind.VAR: (1, 0),
    Kind.DATASEC: (0, 3),
    Kind.DECL_TAG: (1, 0),
    Kind.ENUM64: (0, 3),
}


def kind_of(info: int) -> int:
    """Take the kind out of an info word, with the bits above it that are not used yet."""
    return info >> 24 & 0x7F


def vlen_of(info: int) -> int:
    """Take the number of entries out of an info word, with the bits that are not used yet."""
    return info & 0xFFFFFF


class _Lengths(dict[int, int]):
    """Words in a record by its info word; a kernel has but some hundred different ones."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    def __missing__(self, info: int) -> int:
        kind = kind_of(info)
        if kind not in TAIL_WORDS:
            raise UnsupportedError(
                f"{self._where}: types of kind {kind} are unknown here"
                f" (known: 1 to {max(TAIL_WORDS)}); update agent-sensor"
            )
        always, each = TAIL_WORDS[kind]
        self[info] = HEAD_WORDS + always + each * vlen_of(info)
        return self[info]


class Records:
    """All type records of a blob, by type id: 1 is the first, 0 is void and has no record.

    Methods raise BadInputError where the blob contradicts itself.
    """

    def __init__(self, blob: bytes, *, where: str) -> None:
        self.where = where
        self.words, self._strings = self._sections(blob)
        self.starts = self._walk()

    def damaged(self, what: str) -> BadInputError:
        """Say that the blob is not sound, as an error to raise."""
        return BadInputError(f"{self.where}: damaged BTF: {what}; read it again, or reboot")

    def start(self, type_id: int) -> int:
        """Give the word that the record begins at."""
        if not 0 < type_id <= len(self.starts):
            raise self.damaged(f"it names type {type_id} of {len(self.starts)}")
        return self.starts[type_id - 1]

    def kind(self, type_id: int) -> int:
        """Give the kind, as a number of Kind."""
        return kind_of(self.words[self.start(type_id) + 1]) if type_id else Kind.VOID

    def tail(self, type_id: int) -> memoryview[int]:
        """Give the words from the record's size or type on: as many as an array has."""
        start = self.start(type_id)
        return self.words[start + 2 : start + 6]

    def base(self, type_id: int) -> int:
        """Give the type behind typedefs and qualifiers."""
        for _ in range(DEEPEST):
            if self.kind(type_id) not in ALIASES:
                return type_id
            type_id = self.tail(type_id)[0]
        raise self.damaged(f"type {type_id} is an alias of itself")

    def members(self, type_id: int) -> Iterator[tuple[int, int, int, int]]:
        """Give name, type, offset in bits, and width in bits if a bitfield, of each member.

        What is neither struct nor union has none.
        """
        if self.kind(type_id) not in COMPOSITES:
            return
        start = self.start(type_id)
        info, first = self.words[start + 1], start + HEAD_WORDS
        for at in range(first, first + 3 * vlen_of(info), 3):
            name, member_type, place = self.words[at : at + 3]
            if info & KIND_FLAG:
                yield name, member_type, place & 0xFFFFFF, place >> 24
            else:
                yield name, member_type, place, 0

    def is_named(self, offset: int, name: bytes) -> bool:
        """Tell whether the string at an offset is this one; without making it."""
        return self._strings.startswith(name + b"\0", offset)

    def text(self, offset: int) -> str:
        """Give the string at an offset; empty beyond the end."""
        end = self._strings.find(b"\0", offset)
        return self._strings[offset:end].decode("utf-8", "backslashreplace")

    def offsets(self, name: bytes) -> Iterator[int]:
        """Give every offset that reads as the name: strings may share their ends."""
        at = self._strings.find(name + b"\0")
        while at >= 0:
            yield at
            at = self._strings.find(name + b"\0", at + 1)

    def _sections(self, blob: bytes) -> tuple[memoryview[int], bytes]:
        """Give the words of the types and the strings, after the checks that libbpf makes."""
        if len(blob) < HEADER.size:
            raise self.damaged(f"{len(blob)} bytes are shorter than its header")
        magic, version, _, header, type_at, type_bytes, text_at, text_bytes = HEADER.unpack_from(
            blob
        )
        if magic == SWAPPED_MAGIC:
            raise UnsupportedError(
                f"{self.where}: its byte order is another machine's; use the running kernel's BTF"
            )
        if magic != MAGIC:
            raise self.damaged(f"it begins with {magic:#06x}, not {MAGIC:#06x}")
        if version != VERSION:
            raise UnsupportedError(
                f"{self.where}: BTF version {version}, known is {VERSION}; update agent-sensor"
            )
        types = blob[header + type_at :][:type_bytes]
        text = blob[header + text_at :][:text_bytes]
        if header < HEADER.size or (len(types), len(text)) != (type_bytes, text_bytes):
            raise self.damaged(f"its sections do not lie in its {len(blob)} bytes")
        if type_bytes % 4 or not text.startswith(b"\0") or not text.endswith(b"\0"):
            raise self.damaged("a section is of odd size or not terminated")
        return memoryview(types).cast("I"), text

    def _walk(self) -> list[int]:
        """Find where each record starts: the one pass over the whole blob."""
        words, lengths = self.words, _Lengths(self.where)
        starts: list[int] = []
        add, at, end = starts.append, 0, len(words)
        while at + HEAD_WORDS <= end:
            add(at)
            at += lengths[words[at + 1]]
        if at != end:
            raise self.damaged("the last type is cut short")
        return starts
