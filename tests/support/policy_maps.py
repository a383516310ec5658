# SPDX-License-Identifier: Apache-2.0
"""The maps that policy is written to, made by the test: the kernel's own, without any program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.edge.libbpf import Map
from sensor.wire import rulings
from support.bpf import MapKind, make_map

if TYPE_CHECKING:
    from pathlib import Path

_SHAPES = {
    "policies": (MapKind.ARRAY, 4, rulings.POLICY.size, 2),
    "tools": (MapKind.ARRAY, 4, rulings.TOOL_RULES.size, 2048),
    "entries": (MapKind.ARRAY, 4, rulings.ENTRY.size, 32768),
    "path_conditions": (MapKind.ARRAY, 4, 8, 64),
    "users": (MapKind.HASH, 16, 8, 64),
    "cgroups": (MapKind.HASH, 16, 8, 64),
    "domains": (MapKind.HASH, 16, rulings.DOMAIN_RULES.size, 4096),
    "ranges": (MapKind.LPM_TRIE, rulings.RANGE_KEY.size, rulings.SPAN.size, 4096),
    "places": (MapKind.HASH, 8, 4, 64),
    "resolvers": (MapKind.HASH, 16, 8, 64),
    "state": (MapKind.ARRAY, 4, 8, 7),
    "names": (MapKind.HASH, 16, 8, 64),
    "members": (MapKind.HASH, 4, 32, 64),
}


class MadeMaps:
    """Stands in for pins; every map is a real one."""

    def __init__(self, folder: Path, **entries: int) -> None:
        self.folder = folder
        self.made = {
            name: Map(
                make_map(kind, key=key, value=value, entries=entries.get(name, most),
                         no_prealloc=kind is MapKind.LPM_TRIE),
                owns=True,
            )
            for name, (kind, key, value, most) in _SHAPES.items()
        }  # fmt: skip

    def map(self, name: str) -> Map:
        """Give a map by its name in the source."""
        return self.made[name]

    def rows(self, name: str) -> dict[bytes, bytes]:
        """Give all entries of a hash map."""
        _, key, value, _ = _SHAPES[name]
        return dict(self.made[name].items(key, value))

    def banks(self, name: str) -> set[int]:
        """Give the banks in which a map has entries."""
        return {rulings.bank_of(name, key) for key in self.rows(name)}

    def slot(self, number: int) -> int:
        """Read a slot of `state`."""
        value = self.made["state"].lookup(number.to_bytes(4, "little"), 8)
        assert value is not None
        return int.from_bytes(value, "little")
