# SPDX-License-Identifier: Apache-2.0
"""Policy in maps of the kernel's, bank by bank."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from support.policies import compiled, read
from support.policy_maps import MadeMaps

from sensor.daemon.policy_maps import TOOLS, PolicyMaps
from sensor.errors import SensorError
from sensor.wire import marks, rulings
from sensor.wire.tables import address_be

if TYPE_CHECKING:
    from pathlib import Path

    from sensor.core.policy.tables import Tables

pytestmark = pytest.mark.kernel

HASHES = ("users", "cgroups", "domains", "ranges")


def rule(name: str, **conditions: str) -> str:
    """Write a rule about names and ranges, with conditions."""
    lines = "\n".join(f"{key} = {value}" for key, value in conditions.items())
    return (
        f'[[rule]]\nid = "{name}"\nendpoints = ["{name}.example.com", "192.0.2.0/24"]\n'
        f'verdict = "block"\n{lines}\n'
    )


def tables(*rules: str) -> Tables:
    """Lay out a policy that is enforced."""
    return compiled(read("\n".join(rules)))


FULL = rule("first", users='["1000"]', cgroups='["/build.slice"]', paths='["/opt/corp"]')
CGROUPS = {"/build.slice": 42}


def test_what_is_written_is_in_the_bank_that_is_not_in_force(tmp_path: Path) -> None:
    """And in force with one word; the next one goes to the other bank."""
    pins = MadeMaps(tmp_path)
    maps = PolicyMaps(pins)  # type: ignore[arg-type]
    assert maps.generation == 0
    generation, moved = maps.fill(tables(FULL), CGROUPS)
    assert (generation, moved) == (1, True)
    assert maps.generation == 0
    assert [pins.banks(name) for name in HASHES] == [{1}] * 4
    maps.turn(generation)
    assert maps.generation == pins.slot(3) == 1
    generation, moved = maps.fill(tables(FULL), CGROUPS)
    assert (generation, moved) == (2, False)
    assert [pins.banks(name) for name in HASHES] == [{0, 1}] * 4


def test_a_bank_is_cleared_before_it_is_written(tmp_path: Path) -> None:
    """What was there two generations ago says nothing any more."""
    pins = MadeMaps(tmp_path)
    maps = PolicyMaps(pins)  # type: ignore[arg-type]
    maps.turn(maps.fill(tables(FULL), CGROUPS)[0])
    maps.turn(maps.fill(tables(rule("second")), {})[0])
    maps.turn(maps.fill(tables(rule("third")), {})[0])
    assert pins.banks("users") == pins.banks("cgroups") == set()
    hashes = {rulings.BANKED_KEY.unpack(key) for key in pins.rows("domains")}
    assert (rulings.hash_suffix("third.example.com", 0), 1) in hashes
    assert (rulings.hash_suffix("first.example.com", 0), 1) not in hashes
    last = pins.map("tools").lookup(((TOOLS - 1) * 2).to_bytes(4, "little"), 24)
    assert last == bytes(24)


def test_another_run_goes_on_with_the_next_generation(tmp_path: Path) -> None:
    """Numbers are never 0, which is none, and folders keep their bits."""
    pins = MadeMaps(tmp_path)
    first = PolicyMaps(pins)  # type: ignore[arg-type]
    first.turn(first.fill(tables(FULL), CGROUPS)[0])
    second = PolicyMaps(pins)  # type: ignore[arg-type]
    bit = second.places_of("/opt/corp/bin/claude")
    assert bit.bit_count() == 1
    both = rule("second", paths='["/srv/tools", "/opt/corp"]')
    assert second.fill(tables(both), {}) == (2, True)
    assert second.places_of("/opt/corp/claude") == bit
    assert second.places_of("/srv/tools/x/claude") not in {0, bit}
    assert second.places_of("/opt/corporate/claude") == second.places_of("/opt/corp") == 0
    assert second.places_of(None) == 0
    second.turn((1 << 32) - 1)
    assert second.next_generation() == 2


def test_the_bit_of_a_folder_that_is_gone_is_given_last(tmp_path: Path) -> None:
    """Processes carry it still; when it is given anew, the old folder loses it."""
    pins = MadeMaps(tmp_path)
    maps = PolicyMaps(pins)  # type: ignore[arg-type]
    maps.turn(maps.fill(tables(rule("a", paths='["/a"]')), {})[0])
    first = maps.places_of("/a/x")
    others = [f'"/b{number}"' for number in range(32)]
    maps.turn(maps.fill(tables(rule("b", paths=f"[{', '.join(others[:31])}]")), {})[0])
    assert maps.places_of("/a/x") == first
    maps.turn(maps.fill(tables(rule("c", paths=f"[{', '.join(others)}]")), {})[0])
    assert maps.places_of("/a/x") == 0
    assert len(pins.rows("places")) == 32


def test_a_map_that_is_too_small_leaves_the_old_policy_in_force(tmp_path: Path) -> None:
    """The error names the table and the remedy."""
    pins = MadeMaps(tmp_path, domains=24)
    maps = PolicyMaps(pins)  # type: ignore[arg-type]
    maps.turn(maps.fill(tables(rule("first")), {})[0])
    with pytest.raises(SensorError, match="table `domains` takes no more"):
        maps.fill(tables(*(rule(f"r{number}") for number in range(24))), {})
    assert maps.generation == 1
    assert maps.fill(tables(rule("second")), {})[0] == 2


def test_resolvers_are_those_of_the_policy_alone(tmp_path: Path) -> None:
    """What it does not name any more is not trusted."""
    pins = MadeMaps(tmp_path)
    maps = PolicyMaps(pins)  # type: ignore[arg-type]
    one, other = ip_address("192.0.2.53"), ip_address("2001:db8::53")
    for address in one, other:
        pins.map("resolvers").update(address_be(address), (1).to_bytes(8, "little"))
    maps.forget_resolvers([other])
    assert list(pins.rows("resolvers")) == [address_be(other)]


def test_the_canary_has_a_name_and_a_cgroup_until_it_is_forgotten(tmp_path: Path) -> None:
    """Its name is a mark that is enough to be refused by."""
    pins = MadeMaps(tmp_path)
    maps = PolicyMaps(pins)  # type: ignore[arg-type]
    maps.name_canary("sensor-canary", 40, 77)
    assert pins.slot(4) == 77
    [(key, value)] = pins.rows("names").items()
    assert key == b"sensor-canary\0\0\0"
    strong = marks.MarkFlag.NAME | marks.MarkFlag.STRONG
    assert marks.MARK.unpack(value) == (40, strong)
    maps.forget_canary("sensor-canary")
    assert pins.rows("names") == {}
    assert pins.slot(4) == 0
