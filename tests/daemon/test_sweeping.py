# SPDX-License-Identifier: Apache-2.0
"""A sweep asks for all that is open, page by page, and once more where something was ended."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from sensor.core.facts import Connect, Process, Transport
from sensor.daemon.sweeping import ROUNDS, Sweeping
from sensor.wire.orders import LISTED_MOST, ListOpen, Protocol
from sensor.wire.reports import OPEN_MOST, OpenSocket, Outcome, Report

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Process(1, 1)


class Deputy:
    """Takes orders, and reports when it is told to."""

    def __init__(self) -> None:
        self.asked: list[ListOpen] = []
        self._then: list[Callable[[Report], None]] = []
        self.has_room = True
        self.is_gone = False

    def order(self, order: ListOpen, then: Callable[[Report], None]) -> bool:
        """Take an order, unless it is gone."""
        if self.is_gone:
            return False
        self.asked.append(order)
        self._then.append(then)
        return True

    @property
    def is_asked(self) -> bool:
        """Whether somebody waits for a report."""
        return bool(self._then)

    def report(self, *sockets: OpenSocket, outcome: Outcome = Outcome.DONE, why: str = "") -> None:
        """Answer the last order."""
        self._then.pop()(Report(1, outcome, why, None, sockets))


class Acting:
    """Counts what is ended."""

    destroyed = 0


class Stage:
    """A sweep, and what it gives the engine; ``refuses`` cookies that are ended."""

    def __init__(self) -> None:
        self.deputy, self.acting = Deputy(), Acting()
        self.seen: list[Connect] = []
        self.refuses: set[int] = set()
        self.sweeping = Sweeping(self.deputy, self.acting, self._take)  # type: ignore[arg-type]

    def _take(self, fact: Connect) -> None:
        self.seen.append(fact)
        self.acting.destroyed += fact.cookie in self.refuses


def process(pid: int) -> Process:
    """Give a process."""
    return Process(pid, pid)


def opened(cookie: int, pid: int = 9, protocol: Protocol = Protocol.UDP) -> OpenSocket:
    """Give a socket that is connected."""
    return OpenSocket(process(pid), cookie, protocol, (ip_address("192.0.2.1"), 443))


@pytest.fixture
def stage() -> Stage:
    """Give a sweep of one process that was begun."""
    stage = Stage()
    stage.sweeping.begin({process(9): ROOT})
    return stage


def test_what_is_open_is_seen_as_late(stage: Stage) -> None:
    """With the root of its session; nothing more is asked where nothing was ended."""
    assert stage.deputy.asked == [ListOpen((process(9),))]
    stage.deputy.report(opened(5), opened(6, protocol=Protocol.TCP))
    assert [(f.cookie, f.transport, f.root, f.late) for f in stage.seen] == [
        (5, Transport.UDP, ROOT, True),
        (6, Transport.TCP, ROOT, True),
    ]
    assert len(stage.deputy.asked) == 1
    assert stage.sweeping.problems() == []


def test_a_full_report_is_followed_by_the_next(stage: Stage) -> None:
    """From behind the last cookie on."""
    stage.deputy.report(*(opened(cookie) for cookie in range(1, OPEN_MOST + 1)))
    assert stage.deputy.asked[-1] == ListOpen((process(9),), OPEN_MOST)
    stage.deputy.report()
    assert len(stage.deputy.asked) == 2


def test_where_something_was_ended_all_is_looked_at_again(stage: Stage) -> None:
    """So often and not for ever; also where it was ended pages before."""
    stage.refuses = {1}
    stage.deputy.report(*(opened(cookie) for cookie in range(1, OPEN_MOST + 1)))
    stage.deputy.report()
    assert [one.after for one in stage.deputy.asked] == [0, OPEN_MOST, 0]
    while stage.deputy.is_asked:
        stage.deputy.report(opened(1))
    assert len(stage.deputy.asked) == ROUNDS + 1


def test_many_processes_are_asked_for_in_parts() -> None:
    """One part at a time; whoever came later is behind them."""
    stage = Stage()
    stage.sweeping.begin({process(pid): ROOT for pid in range(1, LISTED_MOST + 3)})
    stage.sweeping.begin({process(7777): ROOT})
    for _ in range(3):
        stage.deputy.report()
    assert [len(one.processes) for one in stage.deputy.asked] == [LISTED_MOST, 2, 1]


def test_a_new_policy_begins_afresh() -> None:
    """What was still to be judged by the one before is not; what is answered by then still is."""
    stage = Stage()
    stage.sweeping.begin({process(pid): ROOT for pid in range(1, LISTED_MOST + 3)})
    stage.sweeping.begin({process(9): ROOT}, afresh=True)
    stage.deputy.report(opened(5))
    assert [len(one.processes) for one in stage.deputy.asked] == [LISTED_MOST, 1]
    assert [fact.cookie for fact in stage.seen] == [5]


def test_a_deputy_without_room_is_asked_later() -> None:
    """And one that is gone is not asked again."""
    stage = Stage()
    stage.deputy.has_room = False
    stage.sweeping.begin({process(9): ROOT})
    assert stage.deputy.asked == []
    stage.deputy.has_room = True
    stage.sweeping.turn()
    assert len(stage.deputy.asked) == 1
    stage.deputy.report()
    stage.deputy.is_gone = True
    stage.sweeping.begin({process(9): ROOT})
    stage.sweeping.turn()
    assert len(stage.deputy.asked) == 1


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.FAILED])
def test_what_cannot_be_listed_is_a_problem(stage: Stage, outcome: Outcome) -> None:
    """Until it can be."""
    stage.deputy.report(outcome=outcome, why="cannot list UDP sockets")
    assert stage.sweeping.problems() == [
        "what sessions have open may go on after a verdict (cannot list UDP sockets)"
    ]
    stage.sweeping.begin({process(9): ROOT})
    stage.deputy.report()
    assert stage.sweeping.problems() == []


def test_a_problem_of_one_part_is_not_over_with_the_next() -> None:
    """It is one sweep: only another one that lists all says that nothing is wrong any more."""
    stage = Stage()
    many = {process(pid): ROOT for pid in range(1, 3 * LISTED_MOST)}
    stage.sweeping.begin(many)
    stage.deputy.report(why="cannot list UDP sockets")
    stage.deputy.report(outcome=Outcome.FAILED, why="no such thing")
    stage.sweeping.turn()
    stage.deputy.report()
    assert stage.sweeping.problem == "cannot list UDP sockets; no such thing"
    stage.sweeping.begin(many)
    stage.deputy.report()
    assert stage.sweeping.problem
    stage.sweeping.begin(many, afresh=True)
    stage.deputy.report(why="of the sweep before")
    for _ in range(3):
        assert stage.sweeping.problem
        stage.deputy.report()
    assert stage.sweeping.problems() == []
