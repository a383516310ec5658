# SPDX-License-Identifier: Apache-2.0
"""Times are read and written as UTC, whatever zone this host has."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from sensor.cli.clock import clock, wall, window
from sensor.core.wall import instant
from sensor.core.when import Moment, Seq
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

WINTER, SUMMER = "2026-11-23T14:03:07.512345678Z", "2026-07-01T10:00:00.000000000Z"


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Move the host to Berlin."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
def test_the_offset_is_that_of_the_time_and_not_of_now() -> None:
    """It is another one in summer."""
    assert wall(WINTER) == "2026-11-23 15:03:07.512+01:00"
    assert wall(SUMMER) == "2026-07-01 12:00:00.000+02:00"


@pytest.mark.usefixtures("berlin")
def test_what_is_printed_can_be_given_back() -> None:
    """The day and time of a line, and what --wall makes of them."""
    summer, winter = Moment(instant(SUMMER)), Moment(instant(WINTER))
    assert window("2026-07-01 10:00", "2026-11-23 14:03:07.512345678") == (summer, winter)
    assert window(wall(SUMMER), None) == (summer, None)
    days = [datetime.now(UTC).date()]
    today, _ = window(clock(SUMMER), None)
    days.append(datetime.now(UTC).date())  # it may be midnight
    assert today in {Moment(instant(f"{day}T{clock(SUMMER)}.0Z")) for day in days}


@pytest.mark.usefixtures("berlin")
def test_a_time_that_no_zone_has_is_written_as_it_is() -> None:
    """The last hour of the year 9999, which a damaged clock may show."""
    last = "9999-12-31T23:59:59.999999999Z"
    assert wall(last) == last


def test_without_wall_a_time_is_that_of_the_lines() -> None:
    """The time of day, in UTC."""
    assert clock(WINTER) == "14:03:07"


def test_a_window_may_be_open() -> None:
    """At either end."""
    assert window(None, None) == (None, None)
    assert window("7", None) == (Seq(7), None)
    now = time.time_ns()
    first, last = window("10m", "now")
    assert isinstance(first, Moment)
    assert isinstance(last, Moment)
    assert last.wall_ns - first.wall_ns == pytest.approx(600_000_000_000, abs=1e9)
    assert last.wall_ns == pytest.approx(now, abs=1e10)


def test_a_mistake_names_its_option() -> None:
    """One may have given both."""
    with pytest.raises(BadInputError, match=r"^--until "):
        window("10m", "soon")
