# SPDX-License-Identifier: Apache-2.0
"""The deputy's own process: it gives up what no order needs, and has a child carry orders out.

A child that dies is replaced, as the daemon has no rights any more to start
another; orders wait in the socket meanwhile. Both die with the daemon.
"""

from __future__ import annotations

import mmap
import os
import signal
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from sensor.core.rights import DEPUTY
from sensor.daemon.duties import Duties
from sensor.edge import capabilities, mounts, parent
from sensor.edge.host import group_id
from sensor.errors import FrameError
from sensor.wire.orders import LARGEST_BYTES, order_of
from sensor.wire.reports import Outcome, Report, report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TERMINALS = "tty"
"""The group whose members may write on terminals whose owners take messages."""

_DEATHS, _WITHIN_S = 5, 60.0
_PAUSE_S = 0.2


class AtWork:
    """The number of the order that is being carried out, where a keeper can see it."""

    def __init__(self) -> None:
        self._shared = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("Q")

    @property
    def number(self) -> int:
        """The order's number; 0 between orders."""
        return self._shared[0]

    @number.setter
    def number(self, number: int) -> None:
        self._shared[0] = number


def run(channel: int, *, daemon: int, pins: Path, scope: Path) -> None:
    """Be the deputy of the process ``daemon``, which has the other end of ``channel``."""
    terminals = group_id(TERMINALS)
    parent.groups(*([] if terminals is None else [terminals]))
    capabilities.keep(frozenset(DEPUTY))
    parent.die_with(daemon)
    keeper = os.getpid()

    def work(orders: socket.socket, at_work: AtWork) -> None:
        parent.die_with(keeper)
        spared = frozenset({daemon, keeper})
        duties = Duties(pins=pins, scope=scope, top=mounts.cgroup2(), spared=spared)
        serve(orders, duties, at_work)

    with socket.socket(fileno=channel) as orders:
        keep(orders, work)


def keep(orders: socket.socket, work: Callable[[socket.socket, AtWork], None]) -> None:
    """Have a child work until the daemon is done with it; another one where it dies.

    Gives up when it dies again and again: that is no accident any more.
    """
    deaths: deque[float] = deque(maxlen=_DEATHS)
    at_work = AtWork()
    while True:
        pid = os.fork()
        if pid == 0:
            _work(lambda: work(orders, at_work))
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status == 0:
            return
        why = f"it ended with {signal.Signals(-status).name if status < 0 else status}"
        _discard(orders, at_work.number)
        for number in {at_work.number, 0}:
            with suppress(OSError):
                orders.send(report(Report(number, Outcome.FAILED, why)), socket.MSG_DONTWAIT)
        at_work.number = 0
        now = time.monotonic()
        if len(deaths) == _DEATHS and now - deaths[0] < _WITHIN_S:
            return
        deaths.append(now)
        time.sleep(_PAUSE_S)


def _discard(orders: socket.socket, number: int) -> None:
    """Take out the order during which a child died: its successor is not to die of it too."""
    with suppress(OSError, FrameError):
        waiting, _ = order_of(orders.recv(LARGEST_BYTES + 1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        if waiting == number:
            orders.recv(1)


def _work(work: Callable[[], None]) -> None:
    """Be the child, which never returns."""
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001  # whatever it is, the keeper takes note of the end
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def serve(orders: socket.socket, duties: Duties, at_work: AtWork) -> None:
    """Carry out one order after the other until there is nobody any more who gives any.

    An order stays in the socket while it is carried out: whoever dies meanwhile loses none.
    """
    while True:
        try:
            datagram = orders.recv(LARGEST_BYTES + 1, socket.MSG_PEEK)
        except ConnectionResetError:  # the daemon ended with reports unread
            return
        if not datagram:
            return
        try:
            number, order = order_of(datagram)
            at_work.number = number
            done = duties.carry_out(number, order)
        except FrameError as problem:
            done = Report(0, Outcome.REFUSED, str(problem))
        orders.recv(1)
        try:
            orders.send(report(done))
        except BrokenPipeError:
            return
        at_work.number = 0
