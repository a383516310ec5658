# SPDX-License-Identifier: Apache-2.0
"""A point in time is the same event, whether it is stored, in memory, or to come."""

from __future__ import annotations

import pytest
from support.streams import WALL_OFFSET_NS, HandClock, MemoryPast, StoryDaemon, frames

from sensor.core.recent import Recent
from sensor.core.subscription import UNLIMITED, Window
from sensor.wire.requests import Point, Scale, Subscribe
from sensor.wire.sources import Sources

SEQ, BOOT, WALL = Scale.SEQ, Scale.BOOT, Scale.WALL


def sources(*, stored: int = 30, first: int = 21, last: int = 40, now_ns: int = 60) -> Sources:
    """Return a stream whose events come at their own number of nanoseconds."""
    recent = Recent(limit_bytes=1 << 20, last=first - 1)
    for seq, at_ns, traits, body in frames(first, last):
        recent.add(seq, at_ns, traits, body)
    clock = HandClock()
    clock.ns = now_ns
    past = MemoryPast(frames(1, stored))
    return Sources(recent=recent, past=past, daemon=StoryDaemon(), clock=clock)


@pytest.mark.parametrize(
    ("since", "first"),
    [
        (None, 41),
        (Point(SEQ, 7), 7),
        (Point(SEQ, 70), 70),
        (Point(BOOT, 7), 7),
        (Point(WALL, WALL_OFFSET_NS + 7), 7),
        (Point(BOOT, 30), 30),
        (Point(BOOT, 31), 31),
        (Point(WALL, WALL_OFFSET_NS + 40), 40),
        (Point(BOOT, 41), 41),
        (Point(WALL, 0), 1),
    ],
)
def test_a_start_is_found(since: Point | None, first: int) -> None:
    """In the store, in memory, or after all there is."""
    assert sources().first(since) == first


@pytest.mark.parametrize(
    ("until", "follow", "last", "ends_at_ns"),
    [
        (None, True, UNLIMITED, None),
        (None, False, 40, None),
        (Point(SEQ, 7), True, 7, None),
        (Point(SEQ, 70), True, 70, None),
        (Point(SEQ, 70), False, 40, None),
        (Point(BOOT, 7), True, 7, None),
        (Point(BOOT, 30), True, 30, None),
        (Point(WALL, WALL_OFFSET_NS + 35), False, 35, None),
        (Point(BOOT, 59), True, 40, None),
        (Point(BOOT, 60), True, UNLIMITED, 60),
        (Point(WALL, WALL_OFFSET_NS + 70), True, UNLIMITED, 70),
        (Point(BOOT, 70), False, 40, None),
    ],
)
def test_an_end_is_found(
    *, until: Point | None, follow: bool, last: int, ends_at_ns: int | None
) -> None:
    """What is to come ends by the clock."""
    request = Subscribe(until=until, follow=follow)
    assert sources().last(request) == last
    assert sources().ends_at_ns(request) == ends_at_ns


@pytest.mark.parametrize(
    ("there", "oldest"),
    [
        (sources(), 1),
        (sources(stored=5), 1),
        (sources(stored=0), 1),
    ],
)
def test_the_oldest_is_stored_or_about_to_be(there: Sources, oldest: int) -> None:
    """What an empty store does not have yet may be gone from memory already: it is to come."""
    assert there.oldest() == oldest


def test_the_window_is_that_of_what_is_recent() -> None:
    """Nothing else is in memory."""
    there = sources()
    assert there.window() == Window(21, there.recent.middle, 40)
