# SPDX-License-Identifier: Apache-2.0
"""Kept programs are what they were, but for the numbers of their maps."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some
from support.structs import PROBES, checked

from sensor.errors import BadInputError
from sensor.wire.code import (
    CALLS,
    TRIAL,
    TURN_CALL,
    Code,
    Shape,
    Turn,
    linked,
    packed,
    rebound,
    unpacked,
)

if TYPE_CHECKING:
    from pathlib import Path


def instruction(kind: int, source: int, number: int) -> bytes:
    """Write one, with the destination register 1."""
    return struct.pack("<BBhi", kind, source << 4 | 1, 0, number)


LOAD_64, CALL, EXIT = 0x18, 0x85, 0x95
REST = instruction(0, 0, 7)
MAP_7 = instruction(LOAD_64, 1, 7) + REST
# Its second half has the looks of a load of a map.
NUMBER = instruction(LOAD_64, 0, 7) + instruction(LOAD_64, 1, 7)
TAIL = instruction(CALL, 1, 7) + instruction(EXIT, 0, 0)
CODE = Code({"members": Shape(1, 4, 24, 32768, 1)}, {"seen_exec": MAP_7 + TAIL, "none": b""})


def test_maps_are_renumbered_and_nothing_else() -> None:
    """Numbers that the program computes with, and calls of its own functions, stay."""
    there = rebound(NUMBER + MAP_7 + TAIL, {7: 3})
    assert there == NUMBER + instruction(LOAD_64, 1, 3) + REST + TAIL
    assert rebound(there, {3: 7}) == NUMBER + MAP_7 + TAIL


@pytest.mark.parametrize(("source", "number"), [(1, 8), (2, 7)], ids=["a stranger", "a value"])
def test_what_names_something_else_is_not_kept(source: int, number: int) -> None:
    """It would mean something else in another process."""
    with pytest.raises(BadInputError, match="instruction 1 names what is no map"):
        rebound(instruction(EXIT, 0, 0) + instruction(LOAD_64, source, number) + REST, {7: 3})


def call(source: int, number: int) -> bytes:
    """Write a call: of a helper, another function of the program (1), or the kernel's (2)."""
    return struct.pack("<BBhi", CALL, source << 4, 0, number)


def test_calls_that_no_helper_has_are_the_kernels_functions_or_nothing() -> None:
    """Real helpers, the program's own functions, and numbers that look like calls stay."""
    first, second, *_ = CALLS
    others = call(0, 14) + call(1, first) + NUMBER[:8] + call(0, first) + call(2, second)
    nothing = struct.pack("<BBhi", 0x05, 0, 0, 0)
    program = call(0, first) + others + call(0, second)
    assert linked(program, {}, Turn.ALONE) == nothing + others + nothing
    assert linked(program, {first: 77}, Turn.ALONE) == call(2, 77) + others + nothing


@pytest.mark.parametrize("turn", Turn)
def test_a_program_knows_its_turn(turn: Turn) -> None:
    """As a constant in the place of the call."""
    constant = struct.pack("<BBhi", 0xB7, 0, 0, turn)
    assert linked(call(0, TURN_CALL) + TAIL, {}, turn) == constant + TAIL


def test_the_numbers_are_those_of_the_probes(tmp_path: Path) -> None:
    """And all that they call so is known."""
    text = (PROBES / "undisturbed.h").read_text("utf-8")
    named = re.findall(r"\(\*(\w+)\)\(.*\) = \(void \*\)(0x\w+);", text)
    numbers = {int(number, 16): name for name, number in named}
    assert numbers.pop(TURN_CALL) == "turn_of_this"
    assert {number: f"bpf_{name}" for number, name in numbers.items()} == CALLS
    for turn in Turn:
        checked("undisturbed.h", f"TURN_{turn.name} == {turn.value}", tmp_path)
    assert len(linked(TRIAL, {}, Turn.ALONE)) == len(TRIAL)


def test_what_was_packed_is_unpacked() -> None:
    """Maps in their order, and each program."""
    assert unpacked(packed(CODE)) == CODE


@given(at=some.integers(0, len(packed(CODE)) - 1), bit=some.integers(0, 7))
def test_one_bit_that_changed_is_seen(at: int, bit: int) -> None:
    """What the kernel gets is what was compiled."""
    text = bytearray(packed(CODE))
    text[at] ^= 1 << bit
    with pytest.raises(BadInputError, match="damaged"):
        unpacked(bytes(text))


@pytest.mark.parametrize("left", [0, 10, 40])
def test_what_was_cut_short_is_damaged(left: int) -> None:
    """A disk may be full, or a machine lose its power."""
    with pytest.raises(BadInputError, match="damaged"):
        unpacked(packed(CODE)[:left])
