# SPDX-License-Identifier: Apache-2.0
"""A timeline is inside its drawing, and its times are where they belong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.core.report.timeline import (
    HEAD,
    LANE,
    LEAST_BAR,
    MOST_LANES,
    NAMES,
    WIDTH,
    Span,
    timeline,
)

NS = 10**9
DAY = 86_400 * NS


def test_bars_stand_in_their_lanes() -> None:
    """In the order in which these come; a gap goes through all of them."""
    spans = [Span("a", 0, DAY, "x"), Span("b", DAY // 2, DAY, "y", is_alarming=True)]
    drawn = timeline(spans, [Span("", 0, DAY // 4, "gap")], from_ns=0, to_ns=DAY)
    assert drawn
    first, second = drawn.bars
    assert (first.x, first.width, first.is_alarming) == (NAMES, WIDTH - NAMES, False)
    assert (second.x, second.width, second.is_alarming) == (605.0, 395.0, True)
    assert [lane.text for lane in drawn.lanes] == ["a", "b"]
    assert second.y - first.y == LANE
    (gap,) = drawn.gaps
    assert (gap.y, gap.height) == (HEAD, 2 * LANE)


@pytest.mark.parametrize(
    ("length_ns", "texts"),
    [
        (2 * NS, ["00:00:00", "00:00:01", "00:00:02"]),
        (3600 * NS, ["1970-01-01", "00:15", "00:30", "00:45", "01:00"]),
        (2 * DAY, ["1970-01-01", "06:00", "12:00", "18:00", "1970-01-02", "06:00", "12:00",
                   "18:00", "1970-01-03"]),
        (20 * DAY, ["1970-01-01", "1970-01-08", "1970-01-15"]),
    ],
)  # fmt: skip
def test_ticks_are_at_round_times(length_ns: int, texts: list[str]) -> None:
    """Few enough to be read."""
    drawn = timeline([Span("a", 0, 1, "")], [], from_ns=0, to_ns=length_ns)
    assert drawn
    assert [tick.text for tick in drawn.ticks] == texts


def test_lanes_without_room_are_counted() -> None:
    """And nothing is drawn without sessions."""
    spans = [Span(str(at), 0, NS, "") for at in range(MOST_LANES + 3)]
    drawn = timeline(spans, [], from_ns=0, to_ns=NS)
    assert drawn
    assert (len(drawn.lanes), len(drawn.bars), drawn.left_out) == (MOST_LANES, MOST_LANES, 3)
    assert timeline([], [], from_ns=0, to_ns=NS) is None


@settings(deadline=None)  # a busy machine fails no test
@given(st.integers(0, 2**62), st.integers(0, 2**62), st.integers(0, 2**62), st.integers(0, 2**62))
def test_everything_is_inside(from_ns: int, to_ns: int, began: int, ended: int) -> None:
    """Whatever the clock of a host said."""
    drawn = timeline([Span("a", began, ended, "")], [], from_ns=from_ns, to_ns=to_ns)
    assert drawn
    (bar,) = drawn.bars
    assert NAMES - LEAST_BAR <= bar.x <= WIDTH
    assert bar.width >= LEAST_BAR
    assert bar.x + bar.width <= WIDTH + 0.02
    assert all(NAMES <= tick.x <= WIDTH for tick in drawn.ticks)
