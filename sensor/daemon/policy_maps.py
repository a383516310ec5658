# SPDX-License-Identifier: Apache-2.0
"""Policy in the kernel's maps: written into the bank that is not in force, then turned over.

What was written stays when this process ends, and is where the next one goes on.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from sensor.daemon.state import Slot, State
from sensor.edge.libbpf_quiet import Quiet
from sensor.errors import SensorError
from sensor.wire import marks, rulings
from sensor.wire.tables import address_be

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sensor.core.facts import Address
    from sensor.core.policy.tables import Tables
    from sensor.daemon.instance import Pins
    from sensor.edge.libbpf import Map
    from sensor.wire.rulings import Write

MAPS = (
    "policies", "tools", "entries", "users", "cgroups", "path_conditions", "places", "domains",
    "ranges", "resolvers",
)  # fmt: skip
"""Those of probes/policy.c and probes/names.c that user space writes."""

TOOLS = 1024
"""Of a bank (probes/policy.c): catalogue, sessions that are blocked, and the canary."""

_LONG, _WORD = struct.Struct("=Q"), struct.Struct("=I")
_BANKED_VALUES = {"users": 8, "cgroups": 8, "domains": rulings.DOMAIN_RULES.size,
                  "ranges": rulings.SPAN.size}  # fmt: skip
_ADDRESS_BYTES = 16
_GENERATIONS = 1 << 32


class PolicyMaps:
    """The maps of one instance; there is one writer at a time."""

    def __init__(self, pins: Pins) -> None:
        self._maps: dict[str, Map] = {name: pins.map(name) for name in MAPS}
        self._state = State.of(pins)
        self._names = pins.map("names")
        self._bits: dict[int, int] | None = None
        self._has_moved = False

    @property
    def generation(self) -> int:
        """The generation in force, 0 for none."""
        return self._state[Slot.POLICY]

    @property
    def seed(self) -> int:
        """What the hashes of names begin with: drawn anew for each load."""
        return self._state[Slot.SEED]

    def next_generation(self) -> int:
        """Give the number of the next one: its bank is the other one, and it is never 0."""
        following = (self.generation + 1) % _GENERATIONS
        return following or 2

    def fill(self, tables: Tables, cgroup_ids: Mapping[str, int]) -> tuple[int, bool]:
        """Write a policy into the bank that is not in force.

        Returns its generation, and whether folders were numbered anew: what the
        kernel remembers of files is old then. Raises SensorError where the maps
        are too small; what is in force stays.
        """
        generation = self.next_generation()
        bank = rulings.bank_for(generation)
        bits = self._numbered(tables.paths)
        self._clear(bank)
        if len(tables.tools) > TOOLS:
            raise SensorError(f"policy: more than {TOOLS} tools; end some blocks of sessions")
        for index in range(len(tables.tools), TOOLS):
            key = _WORD.pack(index * rulings.BANKS + bank)
            self._maps["tools"].update(key, bytes(rulings.TOOL_RULES.size))
        for write in rulings.writes(
            tables, generation, cgroup_ids=cgroup_ids, bits=bits, seed=self.seed
        ):
            self._write(write)
        self._state[Slot.PLACES] = len(self._places())
        return generation, self._has_moved

    def turn(self, generation: int) -> None:
        """Put a generation in force, 0 for none. No program judges by another one afterwards."""
        self._state[Slot.POLICY] = generation
        with Quiet() as quiet:
            quiet.wait()
        self._has_moved = False

    def forget_resolvers(self, kept: Iterable[Address]) -> None:
        """Trust no others than these any more."""
        wanted = {address_be(one) for one in kept}
        for key, _ in list(self._maps["resolvers"].items(_ADDRESS_BYTES, _LONG.size)):
            if key not in wanted:
                self._maps["resolvers"].delete(key)

    def name_canary(self, name: str, tool: int, cgroup_id: int) -> None:
        """Have a program of this name taken for a tool, and refused in this cgroup."""
        key = marks.comm_key(name.encode())
        self._names.update(key, marks.MARK.pack(tool, marks.MarkFlag.NAME | marks.MarkFlag.STRONG))
        self._state[Slot.CANARY] = cgroup_id

    def forget_canary(self, name: str) -> None:
        """Take that back."""
        self._names.delete(marks.comm_key(name.encode()))
        self._state[Slot.CANARY] = 0

    def places_of(self, exe: str | None) -> int:
        """Give the bits of the folders that a file lies below."""
        folders = (exe or "").rsplit("/", 1)[0].split("/")[1:]
        known, seed, found = self._places(), self.seed, 0
        for depth in range(1, len(folders) + 1):
            bit = known.get(rulings.hash_folder("/".join(folders[:depth]), seed))
            found |= 0 if bit is None else 1 << bit
        return found

    def _clear(self, bank: int) -> None:
        for name in rulings.HASHES:
            keys = _key_bytes(name)
            for key, _ in list(self._maps[name].items(keys, _BANKED_VALUES[name])):
                if rulings.bank_of(name, key) == bank:
                    self._maps[name].delete(key)

    def _write(self, write: Write) -> None:
        try:
            self._maps[write.map].update(write.key, write.value)
        except SensorError as problem:
            raise SensorError(
                f"policy: the kernel's table `{write.map}` takes no more ({problem});"
                " make the policy smaller; the one before stays in force"
            ) from problem

    def _places(self) -> dict[int, int]:
        """Give the bit of each folder, by its hash; also those of a run before."""
        if self._bits is None:
            rows = self._maps["places"].items(_LONG.size, _WORD.size)
            self._bits = {
                int(_LONG.unpack(key)[0]): _WORD.unpack(value)[0].bit_length() - 1
                for key, value in rows
            }
        return self._bits

    def _numbered(self, paths: Iterable[str]) -> dict[str, int]:
        """Give folders numbers; one that has one keeps it, and whose is given anew is taken out."""
        known = dict(self._places())
        seed = self.seed
        hashes = {path: rulings.hash_folder(path, seed) for path in paths}
        ours = {number: path for path, number in hashes.items()}
        before = {ours.get(number, f"#{number}"): bit for number, bit in known.items()}
        bits = rulings.path_bits(hashes, before)
        fresh = {hashes[path]: bit for path, bit in bits.items() if hashes[path] not in known}
        for number, bit in known.items():
            if bit in fresh.values():
                self._maps["places"].delete(_LONG.pack(number))
                del self._places()[number]
        self._places().update(fresh)
        self._has_moved |= bool(fresh)
        return bits


def _key_bytes(name: str) -> int:
    return (rulings.RANGE_KEY if name == "ranges" else rulings.BANKED_KEY).size
