# SPDX-License-Identifier: Apache-2.0
"""A time is written in UTC, with every nanosecond."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from sensor.core.wall import instant, rfc3339


def test_nanoseconds_are_kept() -> None:
    """Datetime alone would cut them."""
    assert rfc3339(1_795_442_587_512_345_678) == "2026-11-23T14:03:07.512345678Z"
    assert rfc3339(0) == "1970-01-01T00:00:00.000000000Z"


@given(st.integers())
def test_any_number_is_written(wall_ns: int) -> None:
    """A damaged time is still a time, of the form that every reader expects."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", rfc3339(wall_ns))


@given(st.integers(0, 253_402_300_799_999_999_999))
def test_what_was_written_is_read_as_it_was(wall_ns: int) -> None:
    """To the nanosecond, to the end of the year 9999."""
    assert instant(rfc3339(wall_ns)) == wall_ns
