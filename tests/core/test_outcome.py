# SPDX-License-Identifier: Apache-2.0
"""A connection's end is told by its error, or by whether it ever began."""

from __future__ import annotations

import pytest
from support.story import close

from sensor.core.outcome import Outcome, outcome_of


@pytest.mark.parametrize(
    ("error", "established", "outcome"),
    [
        (0, True, Outcome.CLOSED),
        (0, False, Outcome.FAILED),
        (111, False, Outcome.REFUSED),
        (101, False, Outcome.UNREACHABLE),
        (113, False, Outcome.UNREACHABLE),
        (110, False, Outcome.TIMED_OUT),
        (110, True, Outcome.TIMED_OUT),
        (104, True, Outcome.RESET),
        (32, True, Outcome.RESET),
        (103, True, Outcome.FAILED),
    ],
)
def test_the_error_tells_the_outcome(
    error: int,
    established: bool,  # noqa: FBT001 - a column of the table
    outcome: Outcome,
) -> None:
    """The numbers are those of include/uapi/asm-generic/errno.h."""
    assert outcome_of(close(9, "192.0.2.1", error=error, established=established)) is outcome
