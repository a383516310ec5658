# SPDX-License-Identifier: Apache-2.0
"""Where a kernel test plays a known program and gets back what the sensor told of it."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from support.patience import SOON_S, is_readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.drivers import Drivers
    from support.network import Network
    from support.scope import Argument, PopenOptions, Scope
    from support.watching import Event, Watching

TIMES = 23


@dataclass(frozen=True, slots=True)
class Run:
    """One session as the sensor told it, first event first."""

    pid: int
    status: int
    events: tuple[Event, ...]

    def of(self, kind: str) -> list[Event]:
        """Give the events of one kind."""
        return [event for event in self.events if event["kind"] == kind]


@dataclass(frozen=True, slots=True)
class Stage:
    """A scope, the sensor that watches it, and what to run there."""

    scope: Scope
    watching: Watching
    drivers: Drivers
    network: Network

    def start(
        self, argv: Sequence[Argument], **options: Unpack[PopenOptions]
    ) -> subprocess.Popen[bytes]:
        """Start ``argv`` in the scope, without an input unless it is given one."""
        options.setdefault("stdin", subprocess.DEVNULL)
        return self.scope.run(argv, **options)

    def play(
        self, *argv: Argument, times: int = TIMES, **options: Unpack[PopenOptions]
    ) -> list[Run]:
        """Run a tool ``times`` times, one after another, and wait until each session has ended."""
        since = len(self.watching.events())
        ended = {}
        for _ in range(times):
            process = self.start(argv, **options)
            ended[process.pid] = end_of(process)
        return self.runs(ended, since)

    def runs(self, ended: dict[int, int], since: int) -> list[Run]:
        """Give the runs of these pids and statuses among the events from ``since`` on."""

        def all_over(events: list[Event]) -> bool:
            """Count first: who sorts events at each new one takes an emulated machine long."""
            new = events[since:]
            ends = sum(event["kind"] == "session_end" for event in new)
            return ends >= len(ended) and {*ended} <= {*_over(new)}

        with suppress(AssertionError):
            self.watching.until(all_over)
        events = self.watching.events()[since:]
        over = _over(events)
        missing = {pid: [e["line"] for e in events if _pid(e) == pid] for pid in {*ended} - {*over}}
        assert not missing, f"of {len(ended)} runs the sensor told these in part: {missing}"
        return [Run(pid, status, tuple(over[pid])) for pid, status in ended.items()]

    def learn(self, argv: Sequence[Argument], **options: Unpack[PopenOptions]) -> None:
        """Run something until that wakes nobody: what no name settles is looked into once."""
        deadline = time.monotonic() + SOON_S
        while True:
            woken = self.watching.wake_ups()
            assert end_of(self.start(argv, **options)) == 0
            if self.watching.wake_ups() == woken:
                return
            assert time.monotonic() < deadline, f"it wakes the sensor each time: {argv}"

    def everything_is_told(self) -> None:
        """Wait for the events of a tool that runs now: what happened before is told by then."""
        self.play(self.drivers.tool("nothing"), times=1)


def end_of(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end, without the growing pauses of ``Popen.wait``, and give the status."""
    pidfd = os.pidfd_open(process.pid)
    try:
        is_readable(pidfd, SOON_S)
    finally:
        os.close(pidfd)
    return process.wait(0)


def _over(events: list[Event]) -> dict[int, list[Event]]:
    """Give the events of each session that is over, by the pid that it began with.

    The kernel closes a TCP connection when it is done with it, which may be
    after the process has ended.
    """
    sessions: dict[str, list[Event]] = {}
    for event in events:
        sessions.setdefault(event["session"], []).append(event)
    return {
        end["process"]["pid"]: told
        for told in sessions.values()
        for end in told
        if end["kind"] == "session_end" and _opened(told) == _closed(told)
    }


def _pid(event: Event) -> int | None:
    return event["process"]["pid"] if event["process"] else None


def _opened(events: list[Event]) -> int:
    return sum(e["kind"] == "connect" and e["destination"]["transport"] == "tcp" for e in events)


def _closed(events: list[Event]) -> int:
    return sum(event["kind"] == "close" for event in events)
