# SPDX-License-Identifier: Apache-2.0
"""The numbers that every hook asks first have the slots that the probes read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from sensor.daemon import state
from sensor.daemon.loader import probes
from sensor.daemon.state import Slot, State

if TYPE_CHECKING:
    from support.loading import Loaded

SLOTS = re.compile(r"enum state_slot \{(.*?)STATE_SLOTS", re.DOTALL)


def test_slots_are_those_of_the_probes() -> None:
    """In the order of the enum, with nothing between."""
    (body,) = SLOTS.findall((probes() / "members.c").read_text("utf-8"))
    assert re.findall(r"STATE_(\w+),", body) == [slot.name for slot in Slot]
    assert [*Slot] == [*range(len(Slot))]


@pytest.mark.parametrize("bit", ["WATCH_CONTENT", "WATCH_SCRIPTS"])
def test_bits_are_those_of_the_probes(bit: str) -> None:
    """What is watched for."""
    found = re.search(rf"#define {bit} (\d+)", (probes() / "members.c").read_text("utf-8"))
    assert found
    assert int(found[1]) == getattr(state, bit)


def test_a_number_goes_below_zero_as_the_probes_count(loaded: Loaded) -> None:
    """Members that the probes entered are taken out by user space: the sum is what counts."""
    numbers = State.of(loaded.pins)
    numbers[Slot.USER_MEMBERS] -= 1
    assert numbers[Slot.USER_MEMBERS] == 2**64 - 1
    numbers[Slot.USER_MEMBERS] += 1
    assert numbers[Slot.USER_MEMBERS] == 0
