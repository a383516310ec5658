# SPDX-License-Identifier: Apache-2.0
"""Sweeps what sessions have open once a verdict falls on them.

The kernel judges a connection as it is made, and a datagram as it is sent to an
address; a socket that is connected already passes no hook any more. So those
that are open are listed by the deputy and given to the engine, which has the
refused ones ended.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sensor.core.facts import Connect, Process, Transport
from sensor.wire.orders import LISTED_MOST, ListOpen
from sensor.wire.reports import OPEN_MOST, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sensor.daemon.acting import Acting
    from sensor.daemon.deputy import Deputy
    from sensor.wire.reports import OpenSocket, Report

ROUNDS = 4
"""Of two sockets between the same addresses the kernel ends the one that it finds first: while a
round has ended something, another one looks what is left."""

_NOBODY = Process(0, 0)
_TRANSPORTS = {one.value: one for one in Transport}


@dataclass(frozen=True, slots=True)
class _Batch:
    """Processes with the roots of their sessions, and how far their sockets were listed."""

    roots: Mapping[Process, Process]
    after: int = 0
    rounds: int = ROUNDS
    has_ended: bool = False


class Sweeping:
    """One listing at a time; ``take`` has the engine judge a connection.

    ``problem`` says what could not be listed the last time. It is over with a sweep, of however
    many listings, that lists all.
    """

    def __init__(self, deputy: Deputy, acting: Acting, take: Callable[[Connect], None]) -> None:
        self._deputy = deputy
        self._acting = acting
        self._take = take
        self._batches: deque[_Batch] = deque()
        self._is_asked = False
        self._wrong: dict[str, None] = {}
        self.problem = ""

    def begin(self, roots: Mapping[Process, Process], *, afresh: bool = False) -> None:
        """Have judged what these processes have open; ``afresh`` drops what was still to do."""
        if afresh:
            self._batches.clear()
            self._wrong.clear()
        rows = list(roots.items())
        for at in range(0, len(rows), LISTED_MOST):
            self._batches.append(_Batch(dict(rows[at : at + LISTED_MOST])))
        self.turn()

    def turn(self) -> None:
        """Ask for the next sockets; where the deputy has no room, that is done the next time."""
        if self._is_asked or not self._batches or not self._deputy.has_room:
            return
        batch = self._batches[0]
        self._is_asked = True
        asked = ListOpen(tuple(batch.roots), batch.after)
        if not self._deputy.order(asked, lambda report: self._heard(batch, report)):
            self._is_asked = False
            self._batches.clear()  # nobody is there who could

    def _heard(self, batch: _Batch, report: Report) -> None:
        self._is_asked = False
        is_wanted = bool(self._batches) and self._batches[0] is batch
        if is_wanted:
            self._batches.popleft()
            if report.detail:
                self._wrong[report.detail] = None
        if report.outcome is not Outcome.DONE:
            self._note()
            return
        before = self._acting.destroyed
        for one in report.sockets:
            self._take(_connect(one, batch.roots.get(one.process, _NOBODY)))
        has_ended = batch.has_ended or self._acting.destroyed > before
        if is_wanted and (left := _next(batch, report, has_ended=has_ended)):
            self._batches.appendleft(left)
        self._note()
        self.turn()

    def _note(self) -> None:
        """Say what is wrong as soon as it is, and that nothing is once all is listed."""
        if self._wrong or not self._batches:
            self.problem = "; ".join(self._wrong)
        if not self._batches:
            self._wrong.clear()

    def problems(self) -> list[str]:
        """Say what is wrong, one sentence each."""
        if not self.problem:
            return []
        return [f"what sessions have open may go on after a verdict ({self.problem})"]


def _next(batch: _Batch, report: Report, *, has_ended: bool) -> _Batch | None:
    """Give what is still to be listed: the sockets behind the last one, or all once more."""
    if len(report.sockets) >= OPEN_MOST:
        return replace(batch, after=report.sockets[-1].cookie, has_ended=has_ended)
    if has_ended and batch.rounds > 1:
        return replace(batch, after=0, rounds=batch.rounds - 1, has_ended=False)
    return None


def _connect(one: OpenSocket, root: Process) -> Connect:
    address, port = one.remote
    return Connect(
        at_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
        process=one.process,
        root=root,
        uid=0,
        cookie=one.cookie,
        address=address,
        port=port,
        transport=_TRANSPORTS[one.protocol.value],
        late=True,
    )
