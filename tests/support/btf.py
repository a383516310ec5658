# SPDX-License-Identifier: Apache-2.0
"""BTF blobs made by hand, record by record."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensor.wire.btf_records import HEADER, MAGIC, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence


def info(kind: int, *, entries: int = 0, flag: bool = False) -> int:
    """Join the parts of a record's info word."""
    return flag << 31 | kind << 24 | entries


@dataclass
class Blob:
    """A blob that grows. Whatever adds a type gives back the type's id."""

    words: list[int] = field(default_factory=list)
    strings: bytes = b"\0"
    types: int = 0

    def add(self, name: str, head: int, size_or_type: int, tail: Sequence[int] = ()) -> int:
        """Add any record: its name, its info word, its size or type, and what follows."""
        self.words += [self.text(name), head, size_or_type, *tail]
        self.types += 1
        return self.types

    def text(self, name: str) -> int:
        """Give the offset of a string; one that ends an earlier one shares its bytes."""
        wanted = name.encode() + b"\0"
        if wanted not in self.strings:
            self.strings += wanted
        return self.strings.index(wanted)

    def integer(self, size: int, *, signed: bool = False, bits: int | None = None) -> int:
        """Add a whole number, ``bits`` wide where that is less than its size."""
        width = size * 8 if bits is None else bits
        return self.add("number", info(Kind.INT), size, [signed << 24 | width])

    def alias(self, kind: Kind, type_id: int) -> int:
        """Add what names or qualifies another type, or points to it."""
        return self.add("", info(kind), type_id)

    def array(self, type_id: int, length: int) -> int:
        """Add an array."""
        return self.add("", info(Kind.ARRAY), 0, [type_id, 0, length])

    def struct(
        self, name: str, *members: tuple[str, int, int], kind: Kind = Kind.STRUCT, size: int = 64
    ) -> int:
        """Add a struct or union of members: name, type, offset in bits."""
        tail = [word for text, *rest in members for word in (self.text(text), *rest)]
        return self.add(name, info(kind, entries=len(members)), size, tail)

    def made(self, *, magic: int = MAGIC, version: int = 1, header: int = HEADER.size) -> bytes:
        """Give the bytes."""
        types = struct.pack(f"={len(self.words)}I", *self.words)
        sizes = (0, len(types), len(types), len(self.strings))
        head = HEADER.pack(magic, version, 0, header, *sizes)
        return head + bytes(header - HEADER.size) + types + self.strings
