# SPDX-License-Identifier: Apache-2.0
"""What the engine wants done beyond the kernel's tables, as orders to the deputy.

Without one, nothing is enforced, and the engine wants nothing of the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.actions import Destroy, Kill, Notify
from sensor.core.facts import Transport
from sensor.wire import orders
from sensor.wire.orders import Protocol
from sensor.wire.reports import Outcome

if TYPE_CHECKING:
    from sensor.core.actions import Action
    from sensor.daemon.deputy import Deputy
    from sensor.wire.reports import Report


_PROTOCOLS = {Transport.TCP: Protocol.TCP, Transport.UDP: Protocol.UDP}


class Acting:
    """Hands actions on. None of them is waited for.

    ``destroyed`` counts the connections that were to be closed, ``left`` those that
    could not be, ``left_why`` says why the last one could not.
    """

    def __init__(self, deputy: Deputy) -> None:
        self._deputy = deputy
        self.destroyed = 0
        self.left = 0
        self.left_why = ""

    def do(self, action: Action) -> None:
        """Do what the engine wants, if it is of this kind."""
        match action:
            case Destroy():
                self.destroyed += 1
                self._deputy.order(
                    orders.Destroy(
                        cookie=action.cookie,
                        protocol=_PROTOCOLS[action.transport],
                        remote=action.remote,
                        local=action.local,
                        process=action.process if action.process.pid else None,
                    ),
                    self._destroyed,
                )
            case Kill(process):
                self._deputy.order(orders.Kill(process))
            case Notify():
                owners = {one for one in (action.uid, action.loginuid) if one is not None}
                self._deputy.order(
                    orders.Notify(
                        process=action.process,
                        tty=action.tty,
                        owners=tuple(sorted(owners)),
                        text=action.text,
                    )
                )
            case _:
                pass

    def _destroyed(self, report: Report) -> None:
        if report.outcome is Outcome.FAILED:
            self.left += 1
            self.left_why = report.detail

    def problems(self) -> list[str]:
        """Say what could not be done, one sentence each."""
        if not self.left:
            return []
        return [f"{self.left} refused connections were left open ({self.left_why})"]
