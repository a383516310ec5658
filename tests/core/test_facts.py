# SPDX-License-Identifier: Apache-2.0
"""Facts are values: they compare by what they say, and nobody changes them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from support.story import at, exec_, fork

from sensor.core.facts import Process, Signal


def test_a_reused_pid_is_another_process() -> None:
    """The start time tells them apart."""
    assert Process(9, 1) != Process(9, 2)
    assert len({Process(9, 1), Process(9, 2), Process(9, 1)}) == 2


def test_facts_that_say_the_same_are_equal() -> None:
    """A fact has no identity beyond its words."""
    assert exec_(9, "claude") == exec_(9, "claude")
    assert fork(9, 10) != fork(9, 11)


def test_a_fact_stays_as_it_was_told() -> None:
    """Whoever keeps one may rely on it."""
    with pytest.raises(FrozenInstanceError):
        setattr(at(9), "pid", 1)  # noqa: B010 - mypy refuses the assignment itself


def test_several_signals_can_make_a_candidate() -> None:
    """The kernel says all that it found."""
    both = Signal.NAME | Signal.FILE
    assert Signal.NAME in both
    assert Signal.SESSION not in both
