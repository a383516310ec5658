# SPDX-License-Identifier: Apache-2.0
"""A point of the stream is read as people write it, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.core.wall import instant
from sensor.core.when import Moment, Seq, When, check, when
from sensor.errors import BadInputError

NOW = datetime(2026, 11, 23, 15, 3, 7, 512_000, tzinfo=ZoneInfo("Europe/Berlin"))


def read(text: str, now: datetime = NOW) -> When:
    """Read a point, by a clock of whatever zone."""
    return when(text, option="--since", now=now)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("10m", "2026-11-23T13:53:07.512000000Z"),
        ("90s", "2026-11-23T14:01:37.512000000Z"),
        ("2h", "2026-11-23T12:03:07.512000000Z"),
        ("1d", "2026-11-22T14:03:07.512000000Z"),
        ("1w", "2026-11-16T14:03:07.512000000Z"),
        ("now", "2026-11-23T14:03:07.512000000Z"),
        ("2026-11-23 14:00", "2026-11-23T14:00:00.000000000Z"),
        ("2026-11-23T14:00:05", "2026-11-23T14:00:05.000000000Z"),
        ("2026-11-23", "2026-11-23T00:00:00.000000000Z"),
        ("2026-07-01 12:00", "2026-07-01T12:00:00.000000000Z"),
        ("14:03", "2026-11-23T14:03:00.000000000Z"),
        ("14:03:07.512", "2026-11-23T14:03:07.512000000Z"),
        ("15:03+01:00", "2026-11-23T14:03:00.000000000Z"),
        ("14:03Z", "2026-11-23T14:03:00.000000000Z"),
        ("2026-11-23T14:03:07.512345678Z", "2026-11-23T14:03:07.512345678Z"),
        ("2026-11-23T14:03:07+05:30", "2026-11-23T08:33:07.000000000Z"),
        ("2026-11-23 14:03 Z", "2026-11-23T14:03:00.000000000Z"),
        ("  10m ", "2026-11-23T13:53:07.512000000Z"),
    ],
)
def test_a_time_is_read(text: str, at: str) -> None:
    """A time without an offset is UTC, in winter and in summer."""
    assert read(text) == Moment(instant(at))


@pytest.mark.parametrize(("text", "seq"), [("0", 0), ("4711", 4711), ("9" * 18, int("9" * 18))])
def test_a_number_alone_is_a_seq(text: str, seq: int) -> None:
    """As every event has one, and a time without a unit is none."""
    assert read(text) == Seq(seq)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "yesterday", "10x", "-5m", "1.5h", "14:3", "2026-11", "2026-11-23T",
        "2026-13-01", "2026-02-30 10:00", "24:61", "12:00.5", ".5", "Z", "1969-12-31 00:00Z",
        "0001-01-01T00:00:00+14:00", "\u0664\u0667", "9" * 19, "2026-11-23 14:00:00.1234567890",
        "\x1b[2J",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    """The option is named, the text is quoted, and the forms are listed."""
    with pytest.raises(BadInputError, match=r'^--since .*"10m" for ten minutes ago') as problem:
        read(text)
    assert "\x1b" not in str(problem.value)


def test_long_ago_is_the_beginning() -> None:
    """More than there is time for is no error."""
    assert read("999999999w") == Moment(0)


def test_a_clock_time_is_of_today_by_its_own_offset() -> None:
    """Shortly after midnight in Berlin, it is still yesterday in UTC."""
    now = datetime(2026, 11, 24, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert read("00:10+01:00", now) == Moment(instant("2026-11-23T23:10:00.0Z"))
    assert read("23:10Z", now) == Moment(instant("2026-11-23T23:10:00.0Z"))
    assert read("23:10", now) == Moment(instant("2026-11-23T23:10:00.0Z"))


@given(st.text())
def test_any_text_is_a_point_or_a_sentence(text: str) -> None:
    """Nothing that can be typed is a crash."""
    try:
        read(text)
    except BadInputError:
        return


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001  # hypothesis adds the zone
def test_what_a_clock_shows_can_be_given_back(naive: datetime) -> None:
    """Every time that is written as RFC 3339 is read as it was, also without its Z."""
    moment = naive.replace(tzinfo=UTC)
    assert read(moment.isoformat()) == read(f"{naive.isoformat()}Z") == read(naive.isoformat())


@pytest.mark.parametrize(
    ("since", "until", "is_good"),
    [
        (None, None, True),
        (Seq(5), Seq(5), True),
        (Seq(5), Seq(4), False),
        (Moment(5), Moment(4), False),
        (Moment(4), Moment(5), True),
        (Seq(5), Moment(4), True),
        (Seq(5), None, True),
    ],
)
def test_a_window_goes_forward(since: When | None, until: When | None, *, is_good: bool) -> None:
    """A seq and a time cannot be compared before somebody looks."""
    if is_good:
        check(since, until)
        return
    with pytest.raises(BadInputError, match="swap them"):
        check(since, until)
