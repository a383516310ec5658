# SPDX-License-Identifier: Apache-2.0
"""The deputy, as the daemon has it: a process that keeps the rights which the daemon gives up.

Orders go over a socketpair, one a datagram, and reports come back in their
order. Nothing here waits but :meth:`Deputy.ask`, which has a bound.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from sensor.daemon.probing import command
from sensor.errors import FrameError, SensorError
from sensor.wire.orders import packed
from sensor.wire.reports import LARGEST_BYTES, Outcome, Report, report_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sensor.wire.orders import Order

QUEUED = 512
"""Orders that wait for a report; what comes beyond that is counted, and not carried out."""

ASKED_S, STARTING_S = 5.0, 30.0
"""How long an answer may take: from one that is at work, and from one that is starting."""

_ENDING_S = 5.0


def start(*, pins: Path, scope: Path) -> Deputy:
    """Start the deputy, with all rights that this process has now."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            command(
                "deputy", f"--channel={theirs.fileno()}", f"--parent={os.getpid()}",
                f"--pins={pins}", f"--scope={scope}",
            ),
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the daemon, which lets it go
        )  # fmt: skip
    return Deputy(ours, process)


class Deputy:
    """The daemon's end. ``dropped`` counts orders for which there was no room."""

    def __init__(self, channel: socket.socket, process: subprocess.Popen[bytes]) -> None:
        channel.setblocking(False)  # noqa: FBT003  # the socket's own interface
        self._channel = channel
        self._process = process
        self._number = 0
        self._unsent: deque[bytes] = deque()
        self._pending: dict[int, Callable[[Report], None]] = {}
        self._has_answered = False
        self.dropped = 0
        self.restarts = 0
        self.restarted_why = ""
        self.is_gone = False

    def fileno(self) -> int:
        """Give what is readable when there are reports."""
        return self._channel.fileno()

    @property
    def has_room(self) -> bool:
        """Whether it takes an order now, or none any more."""
        return self.is_gone or len(self._pending) < QUEUED

    def order(self, order: Order, then: Callable[[Report], None] = lambda _: None) -> bool:
        """Have something done; ``then`` gets the report. Returns False where there is no room."""
        if self.is_gone or len(self._pending) >= QUEUED:
            self.dropped += 1
            return False
        self._number += 1
        self._unsent.append(packed(self._number, order))
        self._pending[self._number] = then
        self._send()
        return True

    def ask(self, order: Order, *, within_s: float | None = None) -> Report:
        """Have something done and wait for it, but no longer than this.

        Raises SensorError where nothing comes back in time.
        """
        came: list[Report] = []
        if not self.order(order, came.append):
            raise SensorError("the deputy takes no orders; restart agent-sensor")
        if within_s is None:
            within_s = ASKED_S if self._has_answered else STARTING_S
        deadline = time.monotonic() + within_s
        answers = select.poll()  # select(2) takes no descriptor above 1,023
        answers.register(self._channel, select.POLLIN)
        while not came:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not answers.poll(left_s * 1000):
                raise SensorError(f"the deputy did not answer within {within_s:.0f} s; try again")
            self.read()
        return came[0]

    def read(self) -> None:
        """Take the reports that are there, and send what had to wait for them."""
        while not self.is_gone:
            try:
                datagram = self._channel.recv(LARGEST_BYTES)
            except BlockingIOError:
                break
            except OSError:
                datagram = b""
            if not datagram:
                self._lose()
                return
            self._take(datagram)
        self._send()

    def _take(self, datagram: bytes) -> None:
        try:
            report = report_of(datagram)
        except FrameError:  # none that this version sends
            self.dropped += 1
            return
        self._has_answered = True
        if report.number:
            if then := self._pending.pop(report.number, None):
                then(report)
            return
        self.restarts += 1
        self.restarted_why = report.detail

    def _lose(self) -> None:
        """Note that nobody is there any more; what was asked for is not done."""
        self.is_gone = True
        self._unsent.clear()
        pending, self._pending = self._pending, {}
        for number, then in pending.items():
            then(Report(number, Outcome.FAILED, "the deputy has ended"))

    def _send(self) -> None:
        try:
            while self._unsent:
                self._channel.send(self._unsent[0])
                self._unsent.popleft()
        except BlockingIOError:
            pass  # each report says that there is room
        except OSError:
            self._lose()

    def problems(self) -> list[str]:
        """Say what is wrong with it, one sentence each."""
        found = []
        if self.is_gone:
            found.append("the deputy has ended: nothing is attached, ended or told by it;"
                         " restart agent-sensor")  # fmt: skip
        elif self.restarts:
            found.append(f"the deputy was restarted {self.restarts} times ({self.restarted_why})")
        if self.dropped:
            found.append(f"{self.dropped} orders to the deputy were not carried out")
        return found

    def state(self) -> dict[str, object]:
        """Return what ``status`` says of it."""
        return {
            "pid": None if self.is_gone else self._process.pid,
            "waiting": len(self._pending),
            "dropped": self.dropped,
            "restarts": self.restarts,
        }

    def close(self) -> None:
        """Let it go: it ends when it has done what it was asked for."""
        self._channel.close()
        try:
            self._process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
