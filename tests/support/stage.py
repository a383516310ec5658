# SPDX-License-Identifier: Apache-2.0
"""Where a kernel test plays a known program and gets back what the sensor told of it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

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
            ended[process.pid] = process.wait(30)
        return self.runs(ended, since)

    def runs(self, ended: dict[int, int], since: int) -> list[Run]:
        """Give the runs of these pids and statuses among the events from ``since`` on."""
        events = self.watching.until(
            lambda events: {*ended} <= {_root(event) for event in _ends(events[since:])}
        )[since:]
        session = {event["session"]: _root(event) for event in _ends(events)}
        return [
            Run(pid, status, tuple(e for e in events if session.get(e["session"]) == pid))
            for pid, status in ended.items()
        ]

    def everything_is_told(self) -> None:
        """Wait for the events of a tool that runs now: what happened before is told by then."""
        self.play(self.drivers.tool("nothing"), times=1)


def _ends(events: list[Event]) -> list[Event]:
    return [event for event in events if event["kind"] == "session_end"]


def _root(event: Event) -> int:
    """Give the pid of the process that the event's session began with."""
    pid: int = event["process"]["pid"]
    return pid
