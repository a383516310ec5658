# SPDX-License-Identifier: Apache-2.0
"""What the engine wants, as orders."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from sensor.core.actions import Action, Destroy, Kill, Notify, Release
from sensor.core.facts import Process, Transport
from sensor.daemon import acting as actings
from sensor.daemon.acting import GONE, NO_ROOM, Acting
from sensor.wire import orders
from sensor.wire.orders import Protocol
from sensor.wire.reports import Outcome, Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.wire.orders import Order

ONE, NOBODY = Process(7, 77), Process(0, 0)
REMOTE, LOCAL = (ip_address("192.0.2.1"), 443), (ip_address("192.0.2.2"), 1000)


class Taken:
    """Takes orders, while it has room."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.has_room = True
        self.then: list[Callable[[Report], None]] = []

    def order(self, order: Order, then: Callable[[Report], None] = lambda _: None) -> bool:
        """Take an order."""
        if not self.has_room:
            return False
        self.orders.append(order)
        self.then.append(then)
        return True


@pytest.mark.parametrize(
    ("action", "order"),
    [
        (
            Destroy(process=ONE, cookie=5, remote=REMOTE, local=LOCAL),
            orders.Destroy(
                cookie=5, protocol=Protocol.TCP, remote=REMOTE, local=LOCAL, process=ONE
            ),
        ),
        (
            Destroy(process=NOBODY, cookie=5, remote=REMOTE),
            orders.Destroy(cookie=5, protocol=Protocol.TCP, remote=REMOTE),
        ),
        (
            Destroy(process=ONE, cookie=5, remote=REMOTE, transport=Transport.UDP),
            orders.Destroy(cookie=5, protocol=Protocol.UDP, remote=REMOTE, process=ONE),
        ),
        (Kill(ONE, "no"), orders.Kill(ONE)),
        (
            Notify(process=ONE, tty="pts/3", uid=1000, loginuid=None, text="no"),
            orders.Notify(process=ONE, tty="pts/3", owners=(1000,), text="no"),
        ),
        (
            Notify(process=ONE, tty="pts/3", uid=1000, loginuid=1000, text="no"),
            orders.Notify(process=ONE, tty="pts/3", owners=(1000,), text="no"),
        ),
    ],
)
def test_an_action_is_an_order(action: Action, order: Order) -> None:
    """Whom nobody knows has no process."""
    taken = Taken()
    Acting(taken).do(action)  # type: ignore[arg-type]
    assert taken.orders == [order]


def test_the_rest_is_for_others() -> None:
    """What the engine wants of the kernel's own tables."""
    taken = Taken()
    acting = Acting(taken)  # type: ignore[arg-type]
    acting.do(Release(ONE))
    assert taken.orders == []


def test_what_could_not_be_closed_is_a_problem() -> None:
    """One that has ended meanwhile is none."""
    taken = Taken()
    acting = Acting(taken)  # type: ignore[arg-type]
    for _ in range(3):
        acting.do(Destroy(process=ONE, cookie=5, remote=REMOTE))
    taken.then[0](Report(1, Outcome.DONE))
    taken.then[1](Report(2, Outcome.GONE))
    assert (acting.destroyed, acting.problems()) == (3, [])
    taken.then[2](Report(3, Outcome.FAILED, "cannot destroy a socket"))
    assert acting.problems() == ["1 refused connections were left open (cannot destroy a socket)"]


@pytest.mark.parametrize(
    ("outcome", "why", "problems"),
    [
        (Outcome.DONE, None, []),
        (Outcome.GONE, GONE, []),
        (
            Outcome.FAILED,
            "it could not be ended (so it is)",
            ["1 refused processes were not ended (so it is)"],
        ),
        (
            Outcome.REFUSED,
            "it could not be ended (so it is)",
            ["1 refused processes were not ended (so it is)"],
        ),
    ],
)
def test_who_was_not_ended_is_named(outcome: Outcome, why: str | None, problems: list[str]) -> None:
    """Each is given once; who still runs is a problem."""
    taken = Taken()
    acting = Acting(taken)  # type: ignore[arg-type]
    acting.do(Kill(ONE, "no"))
    assert acting.undone() == []
    taken.then[0](Report(1, outcome, "so it is"))
    assert acting.undone() == ([(ONE, why)] if why else [])
    assert acting.undone() == []
    assert acting.problems() == problems


def test_who_is_to_be_ended_twice_was_ended_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found gone by the second order, it went by the first; of so many that is remembered."""
    monkeypatch.setattr(actings, "ENDED", 1)
    taken = Taken()
    acting = Acting(taken)  # type: ignore[arg-type]
    for process in (ONE, ONE, Process(8, 88), ONE):
        acting.do(Kill(process, "no"))
    for then, outcome in zip(taken.then, [Outcome.DONE, Outcome.GONE] * 2, strict=True):
        then(Report(1, outcome))
    assert acting.undone() == [(ONE, GONE)]


def test_an_order_that_nobody_takes_ends_nobody() -> None:
    """That is told too."""
    taken = Taken()
    taken.has_room = False
    acting = Acting(taken)  # type: ignore[arg-type]
    acting.do(Kill(ONE, "no"))
    assert acting.undone() == [(ONE, f"it could not be ended ({NO_ROOM})")]
    assert acting.problems() == [f"1 refused processes were not ended ({NO_ROOM})"]
