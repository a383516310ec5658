# SPDX-License-Identifier: Apache-2.0
"""Compiled probes as bytes that can be kept: programs that name their maps by number.

A program of BCC's has the descriptors of its maps in its instructions, which mean
nothing in another process. Here they are places in the list of maps instead.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgpack

from sensor.core.blake2 import blake2b
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

# struct bpf_insn of include/uapi/linux/bpf.h; the registers are 4 bits each, source above.
_INSTRUCTION = struct.Struct("<BBhi")
_LOAD_64 = 0x18  # BPF_LD | BPF_DW | BPF_IMM, which takes two instructions
_PLAIN, _MAP = 0, 1  # as its source register: a number, BPF_PSEUDO_MAP_FD
_SUM_BYTES = 32


@dataclass(frozen=True, slots=True)
class Shape:
    """What a map is made by: its BPF_MAP_TYPE_*, sizes in bytes, and BPF_F_* flags."""

    kind: int
    key_bytes: int
    value_bytes: int
    entries: int
    flags: int


@dataclass(frozen=True, slots=True)
class Code:
    """The shapes of all maps in their order, and the programs' instructions, by name."""

    maps: dict[str, Shape]
    programs: dict[str, bytes]


def rebound(program: bytes, numbers: Mapping[int, int]) -> bytes:
    """Put other numbers in the place of those that name maps.

    Raises:
        BadInputError: A map is none of ``numbers``, or something else is named than maps.

    """
    code, wide = bytearray(program), False
    for at in range(0, len(code), _INSTRUCTION.size):
        kind, registers, offset, number = _INSTRUCTION.unpack_from(code, at)
        if wide or kind != _LOAD_64:
            wide = False
            continue
        wide, names = True, registers >> 4
        if names == _PLAIN:
            continue
        if names != _MAP or number not in numbers:
            raise BadInputError(f"instruction {at // _INSTRUCTION.size} names what is no map")
        _INSTRUCTION.pack_into(code, at, kind, registers, offset, numbers[number])
    return bytes(code)


def packed(code: Code) -> bytes:
    """Write compiled probes, with a sum of it all at the front."""
    shapes = [
        (name, one.kind, one.key_bytes, one.value_bytes, one.entries, one.flags)
        for name, one in code.maps.items()
    ]
    text: bytes = msgpack.packb([shapes, code.programs])
    return _sum(text) + text


def unpacked(text: bytes) -> Code:
    """Read what :func:`packed` has written.

    Raises:
        BadInputError: It is something else, or not all of it.

    """
    told, body = text[:_SUM_BYTES], text[_SUM_BYTES:]
    if _sum(body) != told:
        raise BadInputError("the kept probes are damaged")
    shapes: list[Any]
    shapes, programs = msgpack.unpackb(body)
    return Code({name: Shape(*sizes) for name, *sizes in shapes}, programs)


def _sum(text: bytes) -> bytes:
    return blake2b(text, digest_size=_SUM_BYTES).digest()
