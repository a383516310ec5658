# SPDX-License-Identifier: Apache-2.0
"""What does not fit into the ring is counted, and the count is an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.patience import SOON_S

if TYPE_CHECKING:
    from support.stage import Stage

# Each starts daemons or tables of its own, which takes an emulated kernel long.
pytestmark = [pytest.mark.kernel, pytest.mark.long]

# Arguments of 8 KB each: several times the ring of probes/members.c.
STORM = 1500


def test_an_overflowing_ring_is_told_as_loss(beside: Stage) -> None:
    """Execs that were told and execs that were lost add up to those that were made."""
    watching, drivers = beside.watching, beside.drivers
    since = len(watching.events())
    watching.pause()
    try:
        storm = beside.start([drivers.tool("storm"), str(STORM), drivers.plain("nothing")])
        assert storm.wait(SOON_S) == 0
    finally:
        watching.resume()
    watching.until(lambda events: any(event["kind"] == "loss" for event in events[since:]))
    beside.everything_is_told()
    events = watching.events()[since:]
    told = sum(event["kind"] == "exec" for event in events)
    losses = [event["loss"] for event in events if event["kind"] == "loss"]
    lost = sum(loss["count"] for loss in losses if loss["what"] == "exec")
    assert lost > 0
    assert told + lost == 1 + STORM + 1
