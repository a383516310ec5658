# SPDX-License-Identifier: Apache-2.0
"""An owner's words and the sensor's own stand on lines of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.recorded import recorded
from support.story import CATALOGUE

from sensor.core.event import Enforcement, Verdict
from sensor.core.explain import explain
from sensor.core.judgment import RAN_ALREADY, WAS_OVER

REFUSED = replace(
    recorded()[1], verdict=Verdict.BLOCK, enforcement=Enforcement.NONE, rule="no-agents"
)


@pytest.mark.parametrize(
    ("reason", "message", "why"),
    [
        ("Ask first.", "Ask first.", None),
        (RAN_ALREADY, None, RAN_ALREADY),
        (f"Ask first.; {WAS_OVER}", "Ask first.", WAS_OVER),
        (None, None, None),
    ],
)
def test_what_the_sensor_adds_is_no_part_of_the_message(
    reason: str | None, message: str | None, why: str | None
) -> None:
    """Neither for people nor for programs."""
    told = explain(replace(REFUSED, reason=reason), None, CATALOGUE)
    plain = told.as_dict()
    assert (plain["message"], plain["why"]) == (message, why)
    words = {"message": message, "why": why}
    assert [line for line in told.lines() if line.startswith(("message", "why"))] == [
        f'{name:10}  "{text}"' for name, text in words.items() if text
    ]
