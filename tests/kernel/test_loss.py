# SPDX-License-Identifier: Apache-2.0
"""What does not fit into the ring is counted, and the count is an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.scope import Scope
from support.watching import Watching

if TYPE_CHECKING:
    from support.drivers import Drivers

pytestmark = pytest.mark.kernel

# Arguments of 8 KB each: several times the ring of probes/members.c.
STORM = 1500


def test_an_overflowing_ring_is_told_as_loss(drivers: Drivers) -> None:
    """Execs that were told and execs that were lost add up to those that were made."""
    tool, nothing = drivers.tool("storm"), drivers.plain("nothing")
    with Scope() as scope, Watching(scope, "--all-children") as watching:
        watching.pause()
        assert scope.run([tool, str(STORM), nothing]).wait(120) == 0
        watching.resume()
        watching.until(lambda events: any(event["kind"] == "loss" for event in events))
        last = scope.run([drivers.tool("nothing")])
        assert last.wait(30) == 0
        events = watching.until(
            lambda events: any(
                (event["process"] or {}).get("pid") == last.pid and event["kind"] == "session_end"
                for event in events
            )
        )
    told = sum(event["kind"] == "exec" for event in events)
    losses = [event["loss"] for event in events if event["kind"] == "loss"]
    lost = sum(loss["count"] for loss in losses if loss["what"] == "exec")
    assert lost > 0
    assert told + lost == 1 + STORM + 1
