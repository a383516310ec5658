# SPDX-License-Identifier: Apache-2.0
"""Compiled probes as bytes that can be kept: programs that name their maps by number.

A program of BCC's has the descriptors of its maps in its instructions, which mean
nothing in another process. Here they are places in the list of maps instead.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import msgpack

from sensor.core.blake2 import blake2b
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# struct bpf_insn of include/uapi/linux/bpf.h; the registers are 4 bits each, source above.
_INSTRUCTION = struct.Struct("<BBhi")
_LOAD_64 = 0x18  # BPF_LD | BPF_DW | BPF_IMM, which takes two instructions
_PLAIN, _MAP = 0, 1  # as its source register: a number, BPF_PSEUDO_MAP_FD
_CALL = 0x85  # BPF_JMP | BPF_CALL
_HELPER, _FUNCTION = 0, 2  # as its source register: a helper's number, BPF_PSEUDO_KFUNC_CALL
_JUMP = 0x05  # BPF_JMP | BPF_JA; to the next instruction, which the verifier drops
_MOVE = 0xB7  # BPF_ALU64 | BPF_MOV | BPF_K, to register 0
_SUM_BYTES = 32


CALLS = {
    0x7F000001: "bpf_preempt_disable",
    0x7F000002: "bpf_preempt_enable",
    0x7F000003: "bpf_local_irq_save",
    0x7F000004: "bpf_local_irq_restore",
}
"""What probes/undisturbed.h calls by numbers that no helper has: functions of the kernel."""

TURN_CALL = 0x7F000005
"""Another such number: it gives a :class:`Turn`."""


TRIAL = b"".join(
    _INSTRUCTION.pack(*one)
    for one in (
        (_CALL, 0, 0, 0x7F000001),
        (_CALL, 0, 0, 0x7F000002),
        (_MOVE, 0, 0, 0),
        (0x95, 0, 0, 0),  # BPF_JMP | BPF_EXIT
    )
)
"""A program that calls two of them."""


class Turn(IntEnum):
    """Whether a program has others beside it that it could disturb; ``enum turn`` there."""

    ALONE = 0
    FIRST = 1
    AGAIN = 2


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
    code = bytearray(program)
    for at, kind, registers, offset, number in _instructions(program):
        names = registers >> 4
        if kind != _LOAD_64 or names == _PLAIN:
            continue
        if names != _MAP or number not in numbers:
            raise BadInputError(f"instruction {at // _INSTRUCTION.size} names what is no map")
        _INSTRUCTION.pack_into(code, at, kind, registers, offset, numbers[number])
    return bytes(code)


def linked(program: bytes, functions: Mapping[int, int], turn: Turn) -> bytes:
    """Have each call of ``CALLS`` call the function that has this BTF id, or nothing without one.

    The call of ``TURN_CALL`` gives ``turn``, so that the verifier drops what is for others.
    """
    code = bytearray(program)
    for at, kind, registers, _, number in _instructions(program):
        if kind != _CALL or registers >> 4 != _HELPER:
            continue
        if number in functions:
            _INSTRUCTION.pack_into(code, at, kind, _FUNCTION << 4, 0, functions[number])
        elif number in CALLS:
            _INSTRUCTION.pack_into(code, at, _JUMP, 0, 0, 0)
        elif number == TURN_CALL:
            _INSTRUCTION.pack_into(code, at, _MOVE, 0, 0, turn)
    return bytes(code)


def _instructions(program: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Give place, code, registers, offset and number of each, not of second halves."""
    is_second = False
    for at in range(0, len(program), _INSTRUCTION.size):
        if is_second:
            is_second = False
            continue
        kind, registers, offset, number = _INSTRUCTION.unpack_from(program, at)
        is_second = kind == _LOAD_64
        yield at, kind, registers, offset, number


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
