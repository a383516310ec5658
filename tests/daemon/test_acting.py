# SPDX-License-Identifier: Apache-2.0
"""What the engine wants, as orders."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from sensor.core.actions import Action, Destroy, Kill, Notify, Release
from sensor.core.facts import Process
from sensor.daemon.acting import Acting
from sensor.wire import orders
from sensor.wire.orders import Protocol

if TYPE_CHECKING:
    from sensor.wire.orders import Order

ONE, NOBODY = Process(7, 77), Process(0, 0)
REMOTE, LOCAL = (ip_address("192.0.2.1"), 443), (ip_address("192.0.2.2"), 1000)


class Taken:
    """Takes orders."""

    def __init__(self) -> None:
        self.orders: list[Order] = []

    def order(self, order: Order) -> bool:
        """Take an order."""
        self.orders.append(order)
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
