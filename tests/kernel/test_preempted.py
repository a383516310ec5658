# SPDX-License-Identifier: Apache-2.0
"""Tasks that push one another aside, on as few processors as there are, are all seen."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from support.patience import SOON_S

if TYPE_CHECKING:
    from support.scope import Argument
    from support.stage import Stage
    from support.watching import Event

pytestmark = pytest.mark.kernel

LOOPS = 4
# Without stand-bys, and with nobody left undisturbed, 7.2 left out 35 to 60 of 1,604 executions.
TIMES = 150
# Without a stand-by for states, 7.2 left out one or two of them in three rounds of four.
CONNECTIONS = 75


def test_all_executions_of_loops_that_compete_are_told(stage: Stage) -> None:
    """Once each, and so are the ends; none of the sensor's programs was left out for good."""
    since = len(stage.watching.events())
    loop: list[Argument] = [
        stage.drivers.tool("storm"),
        str(TIMES),
        stage.drivers.plain("nothing"),
        "1",
    ]
    loops = [stage.start(loop) for _ in range(LOOPS)]
    assert [one.wait(SOON_S) for one in loops] == [0] * LOOPS
    what_was_missed_is_told(stage)
    kinds = told(stage.watching.events()[since:])
    assert kinds["loss"] == 0
    assert kinds["exec"] == kinds["exit"] == LOOPS * (1 + TIMES) + 1


def test_all_connections_of_loops_that_compete_are_told_with_their_ends(stage: Stage) -> None:
    """All come up, too; their states change in tasks and in interrupts."""
    since = len(stage.watching.events())
    loop = stage.network.entered(
        stage.drivers.tool("threads"),
        str(CONNECTIONS),
        "192.0.2.1",
        str(stage.network.tcp_port),
    )
    loops = [stage.start(loop) for _ in range(LOOPS)]
    assert [one.wait(SOON_S) for one in loops] == [0] * LOOPS
    with suppress(AssertionError):
        stage.watching.until(lambda events: told(events[since:])["close"] >= LOOPS * CONNECTIONS)
    what_was_missed_is_told(stage)
    events = stage.watching.events()[since:]
    kinds = told(events)
    assert kinds["loss"] == 0
    assert kinds["connect"] == kinds["close"] == LOOPS * CONNECTIONS
    outcomes = {event["traffic"]["outcome"] for event in events if event["kind"] == "close"}
    assert outcomes <= {"closed", "reset"}


def what_was_missed_is_told(stage: Stage) -> None:
    """Have the sensor read again later: it looks for that once a second, when it reads."""
    time.sleep(1.1)
    stage.everything_is_told()


def told(events: list[Event]) -> Counter[str]:
    """Count the events of each kind."""
    return Counter(event["kind"] for event in events)
