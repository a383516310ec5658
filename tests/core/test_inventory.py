# SPDX-License-Identifier: Apache-2.0
"""A finding in an event has every name, also where there is nothing to say."""

from __future__ import annotations

from dataclasses import fields
from typing import cast

from sensor.core.inventory import Clue, Inventory, as_dict

FOUND = Inventory(
    user=None, uid=1000, home="/home/gone", place=None, state="used", certainty="likely",
    first_seen=None, last_used=None, traces=(Clue(kind="x", shows="y", certainty="z", path="/"),),
)  # fmt: skip


def test_every_field_has_its_name() -> None:
    """A field that is added and not told is caught here."""
    plain = as_dict(FOUND)
    assert list(plain) == [one.name for one in fields(Inventory)]
    (clue,) = cast("list[dict[str, object]]", plain["traces"])
    assert list(clue) == [one.name for one in fields(Clue)]
