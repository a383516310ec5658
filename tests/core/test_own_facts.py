# SPDX-License-Identifier: Apache-2.0
"""What the sensor says of itself are facts like all others."""

from __future__ import annotations

from sensor.core import facts, own_facts
from sensor.core.own_facts import Health, PolicyChanged, Standing


def test_they_are_found_among_the_other_facts() -> None:
    """Whoever takes facts imports them from one place."""
    own = "Damaged", "Found", "Gap", "Health", "Loss", "PolicyChanged", "Standing", "Undone"
    for name in own:
        assert getattr(facts, name) is getattr(own_facts, name)


def test_a_policy_that_was_removed_has_nothing_else() -> None:
    """Generation 0 is that of no policy."""
    gone = PolicyChanged(at_ns=5, standing=Standing.REMOVED, generation=0)
    assert (gone.source, gone.rules, gone.mode, gone.why) == (None,) * 4


def test_health_is_of_one_part() -> None:
    """Two parts are two facts."""
    well = Health(at_ns=5, what="enforcement", is_well=True)
    assert well != Health(at_ns=5, what="store", is_well=True)
