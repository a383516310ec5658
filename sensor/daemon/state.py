# SPDX-License-Identifier: Apache-2.0
"""The map ``state``: the numbers that every hook asks first. User space writes most of them."""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sensor.daemon.instance import Pins
    from sensor.edge.libbpf import Map

_SLOT, _VALUE = Struct("=I"), Struct("=Q")
_U64 = (1 << 64) - 1


class Slot(IntEnum):
    """What a number is: ``enum state_slot`` of probes/members.c, where each is explained."""

    KERNEL_MEMBERS = 0
    USER_MEMBERS = 1
    GENERATION = 2
    POLICY = 3
    CANARY = 4
    PLACES = 5
    SEED = 6
    WATCH = 7
    CATALOGUE = 8


WATCH_CONTENT = 1
"""A bit of WATCH: large files that no name settles."""

WATCH_SCRIPTS = 2
"""A bit of WATCH: scripts that no name settles."""


class State:
    """The numbers of one instance; of each there is one writer at a time."""

    def __init__(self, table: Map) -> None:
        self._table = table

    @classmethod
    def of(cls, pins: Pins) -> State:
        """Open those of a loaded instance."""
        return cls(pins.map("state"))

    def __getitem__(self, slot: Slot) -> int:
        """Read a number."""
        value = self._table.lookup(_SLOT.pack(slot), _VALUE.size)
        return int(_VALUE.unpack(value)[0]) if value else 0

    def __setitem__(self, slot: Slot, value: int) -> None:
        """Write a number, modulo 2**64."""
        self._table.update(_SLOT.pack(slot), _VALUE.pack(value & _U64))
