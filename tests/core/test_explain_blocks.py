# SPDX-License-Identifier: Apache-2.0
"""What a responder's block refused is explained as a block, which is no rule of a policy."""

from __future__ import annotations

from dataclasses import replace

from support.recorded import recorded
from support.story import CATALOGUE

from sensor.core.event import Enforcement, Verdict
from sensor.core.explain import explain


def test_a_block_is_changed_by_its_removal_or_end() -> None:
    """It takes no exceptions, and no rule comes before it."""
    start, run, *_ = recorded()
    event = replace(
        run, verdict=Verdict.BLOCK, enforcement=Enforcement.LSM, rule="runtime-1",
        reason="ticket SEC-8",
    )  # fmt: skip
    assert explain(event, start, CATALOGUE).would_change[-2:] == (
        "mode shadow: it would have been told, and let go on",
        "`agent-sensor block rm runtime-1`, or its end",
    )
