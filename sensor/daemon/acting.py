# SPDX-License-Identifier: Apache-2.0
"""What the engine wants done beyond the kernel's tables, as orders to the deputy.

Without one, nothing is enforced, and the engine wants nothing of the kind.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from sensor.core.actions import Destroy, Kill, Notify
from sensor.core.facts import Transport
from sensor.wire import orders
from sensor.wire.orders import Protocol
from sensor.wire.reports import Outcome

if TYPE_CHECKING:
    from sensor.core.actions import Action
    from sensor.core.facts import Process
    from sensor.daemon.deputy import Deputy
    from sensor.wire.reports import Report

ENDED = 1024
"""Processes remembered for having been ended; the oldest make room."""

GONE = "it had ended before it could be ended"
NO_ROOM = "the deputy takes no more orders"

_PROTOCOLS = {Transport.TCP: Protocol.TCP, Transport.UDP: Protocol.UDP}


class Acting:
    """Hands actions on. None of them is waited for.

    ``destroyed`` counts the connections that were to be closed, ``left`` those that
    could not be, ``left_why`` says why the last one could not; ``spared`` and
    ``spared_why`` are of processes that were to be ended and still run.
    """

    def __init__(self, deputy: Deputy) -> None:
        self._deputy = deputy
        self.destroyed = 0
        self.left = 0
        self.left_why = ""
        self.spared = 0
        self.spared_why = ""
        self._ended: OrderedDict[Process, None] = OrderedDict()
        self._undone: list[tuple[Process, str]] = []

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
            case Kill():
                self._kill(action)
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

    def _kill(self, action: Kill) -> None:
        """End a process. Whether it was ended is known later than that it is to be."""

        def then(report: Report) -> None:
            match report.outcome:
                case Outcome.DONE:
                    self._ended[action.process] = None
                    if len(self._ended) > ENDED:
                        self._ended.popitem(last=False)
                case Outcome.GONE if action.process in self._ended:
                    pass  # it was to be ended more than once
                case Outcome.GONE:
                    self._undone.append((action.process, GONE))
                case _:
                    self._spare(action, report.detail)

        if not self._deputy.order(orders.Kill(action.process), then):
            self._spare(action, NO_ROOM)

    def _spare(self, action: Kill, why: str) -> None:
        self.spared += 1
        self.spared_why = why
        self._undone.append((action.process, f"it could not be ended ({why})"))

    def undone(self) -> list[tuple[Process, str]]:
        """Give who was to be ended since the last time and was not, and why."""
        undone, self._undone = self._undone, []
        return undone

    def _destroyed(self, report: Report) -> None:
        if report.outcome is Outcome.FAILED:
            self.left += 1
            self.left_why = report.detail

    def problems(self) -> list[str]:
        """Say what could not be done, one sentence each."""
        found = []
        if self.left:
            found.append(f"{self.left} refused connections were left open ({self.left_why})")
        if self.spared:
            found.append(f"{self.spared} refused processes were not ended ({self.spared_why})")
        return found
