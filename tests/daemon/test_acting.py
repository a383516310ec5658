# SPDX-License-Identifier: Apache-2.0
"""What the engine wants, as orders."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from sensor.core.actions import Action, Destroy, Kill, Notify, Release
from sensor.core.facts import Process, Transport
from sensor.daemon.acting import Acting
from sensor.wire import orders
from sensor.wire.orders import Protocol
from sensor.wire.reports import Outcome, Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.wire.orders import Order

ONE, NOBODY = Process(7, 77), Process(0, 0)
REMOTE, LOCAL = (ip_address("192.0.2.1"), 443), (ip_address("192.0.2.2"), 1000)


class Taken:
    """Takes orders."""

    def __init__(self) -> None:
        self.orders: list[Order] = []

        self.then: list[Callable[[Report], None]] = []

    def order(self, order: Order, then: Callable[[Report], None] = lambda _: None) -> bool:
        """Take an order."""
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
