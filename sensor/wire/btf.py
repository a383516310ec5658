# SPDX-License-Identifier: Apache-2.0
"""Where the members of the kernel's structs lie, and of what type they are, out of its BTF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sensor.errors import UnsupportedError
from sensor.wire.btf_records import COMPOSITES, DEEPEST, KIND_FLAG, Kind, Records, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

POINTER_BYTES: Final = 8  # the sensor supports 64-bit kernels
NUMBERS: Final = frozenset({Kind.INT, Kind.ENUM, Kind.ENUM64})
SIZED: Final = NUMBERS | COMPOSITES | {Kind.FLOAT}
INT_SIGNED: Final = 1 << 24  # of the word after an INT's head; BTF_INT_SIGNED
INT_PLACE: Final = 0xFFFFFF  # of the same word: offset in the storage, and width, in bits
SCALARS: Final = {
    (size, signed): f"{'s' if signed else 'u'}{size * 8}"
    for size in (1, 2, 4, 8)
    for signed in (False, True)
}


@dataclass(frozen=True, slots=True)
class Member:
    """A member's place and its type in C, of fixed width.

    ``count`` is the length of an array, or None. ``points_to`` names the struct at the
    other end of a pointer; ``ctype`` is then ``void *``. What is neither number nor
    pointer nor a row of them is ``embedded``: so many bytes.
    """

    offset_bytes: int
    ctype: str
    count: int | None = None
    points_to: str | None = None
    embedded: bool = False


class Btf:
    """The types in a BTF blob such as ``/sys/kernel/btf/vmlinux``, which ``where`` names.

    Raises:
        BadInputError: the blob is cut, contradicts itself or is no BTF.
        UnsupportedError: its version, byte order or a kind of type is unknown.

    """

    def __init__(self, blob: bytes, *, where: str = "/sys/kernel/btf/vmlinux") -> None:
        self.where = where
        self._records = Records(blob, where=where)

    def structs(self, names: Iterable[str]) -> dict[str, int]:
        """Find the type ids of the structs of these names; a name that is not there is left out."""
        records = self._records
        wanted = {at: name for name in names for at in records.offsets(name.encode())}
        found: dict[str, int] = {}
        words = records.words
        for type_id, start in enumerate(records.starts, 1):
            if words[start] in wanted and kind_of(words[start + 1]) == Kind.STRUCT:
                found.setdefault(wanted[words[start]], type_id)
        return found

    def member(self, struct_id: int, path: str) -> Member | None:
        """Find the member at a dotted path, in anonymous structs and unions too.

        Raises:
            BadInputError: the BTF contradicts itself on the way.
            UnsupportedError: the member is a bitfield.

        """
        offset_bits, type_id, width_bits = 0, struct_id, 0
        for name in path.split("."):
            place = self._find(self._records.base(type_id), name.encode())
            if place is None:
                return None
            step_bits, type_id, width_bits = place
            offset_bits += step_bits
        type_id = self._records.base(type_id)
        if width_bits or offset_bits % 8 or self._is_bitfield(type_id):
            raise UnsupportedError(
                f"{self.where}: {path} is a bitfield, which has no address;"
                " name another member in probes/types.toml"
            )
        return self._as_c(offset_bits // 8, type_id, path)

    def _find(self, struct_id: int, name: bytes) -> tuple[int, int, int] | None:
        """Give a member's offset in bits, its type, and its width in bits if a bitfield."""
        records = self._records
        todo, seen = [(0, struct_id)], {struct_id}
        while todo:
            outer_bits, type_id = todo.pop()
            for name_at, inner, offset_bits, width_bits in records.members(type_id):
                if records.is_named(name_at, name):
                    return outer_bits + offset_bits, inner, width_bits
                if not name_at and (nameless := records.base(inner)) not in seen:
                    seen.add(nameless)
                    todo.append((outer_bits + offset_bits, nameless))
        return None

    def _is_bitfield(self, type_id: int) -> bool:
        """Tell whether an integer is narrower than its storage: a bitfield without KIND_FLAG."""
        if self._records.kind(type_id) != Kind.INT:
            return False
        size, encoding = self._records.tail(type_id)[:2]
        return encoding & INT_PLACE != size * 8

    def _as_c(self, offset_bytes: int, type_id: int, path: str) -> Member:
        records, element, count = self._records, type_id, None
        if records.kind(type_id) == Kind.ARRAY:
            _, inner, _, count = records.tail(type_id)
            element = records.base(inner)
        if records.kind(element) == Kind.PTR:
            ctype, points_to = self._pointer(element)
            return Member(offset_bytes, ctype, count, points_to)
        scalar = self._scalar(element)
        if scalar:
            return Member(offset_bytes, scalar, count)
        return Member(offset_bytes, "u8", self._size(type_id, path), embedded=True)

    def _pointer(self, type_id: int) -> tuple[str, str | None]:
        records = self._records
        target = records.base(records.tail(type_id)[0])
        if records.kind(target) == Kind.STRUCT:
            return "void *", records.text(records.words[records.start(target)])
        return "char *" if self._scalar(target) in {"s8", "u8"} else "void *", None

    def _scalar(self, type_id: int) -> str | None:
        records = self._records
        kind = records.kind(type_id)
        if kind not in NUMBERS:
            return None
        tail = records.tail(type_id)
        info = records.words[records.start(type_id) + 1]
        signed = tail[1] & INT_SIGNED if kind == Kind.INT else info & KIND_FLAG
        return SCALARS.get((tail[0], bool(signed)))

    def _size(self, type_id: int, path: str) -> int:
        records, count = self._records, 1
        for _ in range(DEEPEST):
            kind = records.kind(type_id)
            if kind in SIZED:
                return count * records.tail(type_id)[0]
            if kind == Kind.PTR:
                return count * POINTER_BYTES
            if kind != Kind.ARRAY:
                break
            _, inner, _, length = records.tail(type_id)
            count, type_id = count * length, records.base(inner)
        raise records.damaged(f"{path} is of a type without a size")
