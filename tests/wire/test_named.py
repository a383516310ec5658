# SPDX-License-Identifier: Apache-2.0
"""Names of addresses, as the kernel reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.structs import laid_out, measured

from sensor.wire.named import NAMED, named
from sensor.wire.rulings import hash_suffix

if TYPE_CHECKING:
    from pathlib import Path


def test_the_layout_is_that_of_the_header(tmp_path: Path) -> None:
    """As the compiler lays it out."""
    layouts = {"named": NAMED}
    assert measured("tables.h", layouts, tmp_path) == laid_out(layouts)


def test_a_name_is_its_suffixes_the_shortest_first() -> None:
    """How many labels there are is told, also of those that are not looked up."""
    value = NAMED.unpack(named("Api.example.com.", end_ns=7, trusted=True))
    wanted = [hash_suffix(one) for one in ("com", "example.com", "api.example.com")]
    assert value == (*wanted, 0, 0, 0, 7, 3, 1)
    long = NAMED.unpack(named("a.b.c.d.e.f.com", end_ns=1, trusted=False))
    assert long[5:] == (hash_suffix("b.c.d.e.f.com"), 1, 7, 0)
