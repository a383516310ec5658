# SPDX-License-Identifier: Apache-2.0
"""Each event that a reader wants comes once and in order, or lies in a range that was skipped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.core.subscription import (
    PAGE,
    SPAN,
    UNLIMITED,
    Finish,
    ReadPast,
    ReadRecent,
    Skip,
    Step,
    Subscription,
    Wait,
    Window,
)

WINDOW = Window(first=100, middle=150, last=200)


@pytest.mark.parametrize(
    ("first", "last", "limit", "every", "stored", "expected"),
    [
        # in the past: pages, up to what is recent, stored or wanted
        (1, None, None, False, 190, ReadPast(1, 99, PAGE)),
        (1, None, None, False, 40, ReadPast(1, 40, PAGE)),
        (1, 20, None, False, 190, ReadPast(1, 20, PAGE)),
        (1, None, 5, False, 190, ReadPast(1, 99, 5)),
        (99, None, None, True, 190, ReadPast(99, 99, PAGE)),
        # the store is behind what is recent: told, or waited for
        (41, None, None, False, 40, Skip(41, 99)),
        (41, 60, None, False, 40, Skip(41, 60)),
        (41, None, None, True, 40, Wait(for_store=True)),
        # recent
        (100, None, None, False, 190, ReadRecent(100, 200, UNLIMITED)),
        (120, 130, None, False, 0, ReadRecent(120, 130, UNLIMITED)),
        (200, 300, 7, False, 0, ReadRecent(200, 200, 7)),
        # to come
        (201, None, None, False, 190, Wait()),
        (201, 300, None, True, 0, Wait()),
        # all was given
        (1, None, 0, False, 190, Finish(0)),
        (1, 0, None, False, 190, Finish(0)),
        (201, 200, None, False, 190, Finish(200)),
    ],
)
def test_what_comes_next_follows_from_the_position(
    *, first: int, last: int | None, limit: int | None, every: bool, stored: int, expected: Step
) -> None:
    """The whole machine, from each place in the stream."""
    one = Subscription(first=first, last=last, limit=limit, every=every)
    assert one.is_behind(WINDOW) is (first < WINDOW.first)
    assert one.step(WINDOW, stored=stored) == expected


def test_a_page_goes_over_so_many_numbers() -> None:
    """However far the past goes back."""
    one = Subscription(first=1)
    assert one.step(Window(90_000, 95_000, 99_000), stored=99_000) == ReadPast(1, SPAN, PAGE)


@pytest.mark.parametrize(
    ("every", "expected"), [(False, Skip(201, 449)), (True, ReadPast(201, 399, PAGE))]
)
def test_who_falls_behind_is_told_or_reads_on(*, every: bool, expected: Step) -> None:
    """It goes on in the middle of what is recent, so that the next event does not skip again."""
    one = Subscription(first=201, every=every)
    assert one.step(WINDOW, stored=200) == Wait()
    later = Window(first=400, middle=450, last=500)
    assert one.step(later, stored=500) == expected
    if not every:
        assert one.step(later, stored=500) == ReadRecent(450, 500, UNLIMITED)


def test_who_is_slow_in_the_past_is_not_skipped() -> None:
    """It has not seen the present: it asked for the past and gets it."""
    one = Subscription(first=150)
    assert one.step(WINDOW, stored=200) == ReadRecent(150, 200, UNLIMITED)
    one.advance(160, 11)
    later = Window(first=400, middle=450, last=500)
    assert one.step(later, stored=500) == ReadPast(161, 399, PAGE)


def test_a_skip_ends_where_the_subscription_does() -> None:
    """Nothing is called skipped that was not asked for."""
    one = Subscription(first=201, last=300)
    assert one.step(WINDOW, stored=200) == Wait()
    later = Window(first=400, middle=450, last=500)
    assert one.step(later, stored=500) == Skip(201, 300)
    assert one.step(later, stored=500) == Finish(300)


def test_the_limit_counts_what_was_given() -> None:
    """Not what was looked at."""
    one = Subscription(first=100, limit=3)
    one.advance(150, 2)
    assert one.step(WINDOW, stored=200) == ReadRecent(151, 200, 1)
    one.advance(160, 1)
    assert one.step(WINDOW, stored=200) == Finish(160)


class World:
    """A stream in numbers: some match, the newest are in memory, some are stored."""

    def __init__(self, subscription: Subscription, room: int) -> None:
        self.subscription = subscription
        self.room = room
        self.newest = 0
        self.stored = 0
        self.given: list[int] = []
        self.skipped: list[Skip] = []
        self.is_done = False

    @staticmethod
    def wanted(seq: int) -> bool:
        """Tell whether an event passes the filter."""
        return seq % 3 != 0

    @property
    def window(self) -> Window:
        """What is in memory."""
        first = max(1, self.newest - self.room + 1)
        return Window(first, (first + self.newest + 1) // 2, self.newest)

    def drain(self, most: int) -> None:
        """Let the reader have one step, of at most so many events."""
        step = self.subscription.step(self.window, stored=self.stored)
        match step:
            case ReadPast(first, last, limit) | ReadRecent(first, last, limit):
                if isinstance(step, ReadPast):
                    assert last <= self.stored
                assert first <= last <= self.newest
                found = [seq for seq in range(first, last + 1) if self.wanted(seq)]
                found, rest = found[: min(most, limit)], found[min(most, limit) :]
                self.given += found
                self.subscription.advance(found[-1] if rest else last, len(found))
            case Skip():
                assert step.first <= step.last
                self.skipped.append(step)
            case Finish():
                self.is_done = True
            case Wait():
                pass


STEPS = st.lists(
    st.tuples(st.sampled_from(["publish", "store", "drain"]), st.integers(1, 12)), max_size=80
)


@given(
    steps=STEPS,
    before=st.integers(0, 20),
    first=st.integers(1, 20),
    last=st.none() | st.integers(0, 60),
    limit=st.none() | st.integers(0, 20),
    every=st.booleans(),
    room=st.integers(1, 10),
)
def test_every_event_comes_once_and_in_order_or_is_named(
    *,
    steps: list[tuple[str, int]],
    before: int,
    first: int,
    last: int | None,
    limit: int | None,
    every: bool,
    room: int,
) -> None:
    """In whatever order events are published and stored, and the reader reads."""
    world = World(Subscription(first=first, last=last, limit=limit, every=every), room)
    world.newest = world.stored = before
    for what, amount in steps:
        match what:
            case "publish":
                world.newest += amount
            case "store":
                world.stored = min(world.newest, world.stored + amount)
            case _:
                world.drain(amount)
    world.stored = world.newest
    for _ in range(world.newest + 2):
        world.drain(5)
    skipped = {seq for one in world.skipped for seq in range(one.first, one.last + 1)}
    end = min(world.newest, UNLIMITED if last is None else last)
    expected = [seq for seq in range(first, end + 1) if world.wanted(seq) and seq not in skipped]
    assert world.given == expected[:limit]
    assert skipped.isdisjoint(world.given)
    assert skipped <= set(range(first, end + 1))
    assert not (every and skipped)
    is_all = last is not None and (last <= world.newest or last < first)
    assert world.is_done is (is_all or len(world.given) == limit)


@given(steps=STEPS, room=st.integers(1, 10))
def test_a_reader_that_keeps_up_misses_nothing(steps: list[tuple[str, int]], room: int) -> None:
    """Who takes what there is before more than a memory full comes is never skipped."""
    world = World(Subscription(first=1), room)
    for _, amount in steps:
        world.newest += min(amount, room)
        for _ in range(2):
            world.drain(1000)
    assert not world.skipped
    assert world.given == [seq for seq in range(1, world.newest + 1) if world.wanted(seq)]


def test_who_is_patient_waits_for_what_is_about_to_be_stored() -> None:
    """Who is not is told that it does not get it."""
    window = Window(first=40, middle=45, last=50)
    subscription = Subscription(first=31)
    assert subscription.step(window, stored=30, is_patient=True) == Wait(for_store=True)
    assert subscription.step(window, stored=30) == Skip(31, 39)
