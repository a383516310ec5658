# SPDX-License-Identifier: Apache-2.0
"""Actions are values: what they ask for can be compared and told."""

from __future__ import annotations

import pytest
from support.story import CATALOGUE, StoryHost, at, brief, exec_

from sensor.core.actions import Action, Follow, Record, Release
from sensor.core.engine import Engine


def test_actions_that_ask_the_same_are_equal() -> None:
    """A test of the engine compares what it wants with what it should want."""
    assert Release(at(9)) == Release(at(9))
    assert Follow(at(9), at(1)) != Follow(at(9), at(9))


@pytest.mark.parametrize(
    ("action", "text"), [(Release(at(9)), "release 9"), (Follow(at(9), at(1)), "follow 9 of 1")]
)
def test_an_action_names_its_process(action: Action, text: str) -> None:
    """Who carries it out needs nothing else."""
    assert brief(action) == text


def test_what_is_recorded_is_an_event() -> None:
    """It is complete when it leaves the engine."""
    start, _ = Engine(CATALOGUE, StoryHost()).see(exec_(9, "/opt/bin/claude"))
    assert isinstance(start, Record)
    assert start.event.line.endswith("known by name claude  (claude, pid 9)")
