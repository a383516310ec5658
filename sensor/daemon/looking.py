# SPDX-License-Identifier: Apache-2.0
"""Looks at processes for the engine, in a thread of its own: a file can lie on a dead disk.

What is looked at is bounded, and so is how many wait. An answer always comes:
where nothing could be looked at, it says so.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.facts import Process, Seen
from sensor.edge import packages, proc
from sensor.edge.users import Users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sensor.core.actions import Look
    from sensor.core.facts import Exec
    from sensor.edge.packages import Package

QUEUED = 1024
"""Looks that wait; what comes beyond is answered with none."""

_MINOR_BITS = 20
_ATD = "atd"
_USERS = Users()


class Looking:
    """Takes looks, gives what they showed.

    Until it is told to ``begin`` it looks at once, while whoever asks waits: rights
    are given up by thread, so that a daemon that still has some can have no second.
    Afterwards the first look starts the thread.
    """

    def __init__(self, see: Callable[[Look], Seen] | None = None) -> None:
        self._see = see or seen
        self._bell, self._ring = socket.socketpair()
        self._bell.setblocking(False)  # noqa: FBT003  # the socket's own interface
        self._ring.setblocking(False)  # noqa: FBT003  # the socket's own interface
        self._asked: deque[Look] = deque()
        self._given: deque[Seen] = deque()
        self._open = 0
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._has_begun = self._is_over = False

    def begin(self) -> None:
        """Look in a thread from now on."""
        self._has_begun = True

    def fileno(self) -> int:
        """Give what is readable when there are answers."""
        return self._bell.fileno()

    def ask(self, look: Look) -> None:
        """Have a process looked at."""
        if not self._has_begun:
            self._given.append(self._looked(look))
            self._tell()
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="looks", daemon=True)
            self._thread.start()
        with self._change:
            if len(self._asked) >= QUEUED:
                self._given.append(_nothing(look))
                self._tell()
                return
            self._open += 1
            self._asked.append(look)
            self._change.notify_all()

    def take(self) -> Iterator[Seen]:
        """Give the answers that are there."""
        with suppress(BlockingIOError):
            while self._bell.recv(4096):
                pass
        while self._given:
            yield self._given.popleft()

    def settle(self, within_s: float) -> bool:
        """Wait until all is answered, but no longer than this; tells whether it is."""
        with self._change:
            return self._change.wait_for(lambda: self._open == 0, within_s)

    def close(self) -> None:
        """End the thread, unless it hangs: it is a daemon of this process, and ends with it."""
        with self._change:
            self._is_over = True
            self._change.notify_all()
        if self._thread:
            self._thread.join(1.0)
        self._bell.close()
        self._ring.close()

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._asked or self._is_over)
                if self._is_over:
                    return
                look = self._asked.popleft()
            found = self._looked(look)
            with self._change:
                self._given.append(found)
                self._open -= 1
                self._change.notify_all()
                self._tell()

    def _looked(self, look: Look) -> Seen:
        try:
            return self._see(look)
        except (OSError, ValueError):  # what a process leaves lying about is not ours
            return _nothing(look)

    def _tell(self) -> None:
        with suppress(OSError):  # it rings already, or nobody is there any more
            self._ring.send(b"\0")


def seen(look: Look) -> Seen:
    """Look at a process now. What has ended meanwhile is known by its file alone."""
    pid = look.process.pid
    try:
        entry = proc.entry(pid)
        is_there = proc.is_same(entry, look.process)
        ancestors = tuple(proc.ancestors(entry)) if is_there else ()
        variables = _variables(look, ancestors) if is_there else ()
    except OSError:
        is_there, variables, ancestors = False, (), ()
    if look.broker and not ancestors:
        ancestors = tuple(_from_broker(look.broker))
    files = _files(look, f"/proc/{pid}/root") if is_there else None
    # Where it has ended since, its root has gone with it, and nothing was found there.
    if files is None or not _is_there(look.process):
        files = _files(look, "") if _is_file(look) else None
    package, state = files or (None, ())
    return Seen(
        at_ns=_now_ns(),
        process=look.process,
        package=package.name if package else None,
        owns=bool(package and package.owns),
        variables=variables,
        state=state,
        ancestors=ancestors,
        no_look=files is None,
    )


def _is_there(process: Process) -> bool:
    """Tell whether a process has not ended; one that nobody has waited for yet has no root."""
    try:
        Path(f"/proc/{process.pid}/root/").stat()
        return proc.is_same(proc.entry(process.pid), process)
    except OSError:
        return False


def _files(look: Look, root: str) -> tuple[Package | None, tuple[str, ...]] | None:
    """Look at files below a root: those of the package, and what lies in homes."""
    try:
        package = _package(look, root)
        return package, tuple(_there(look.state, root, _USERS.home(look.uid)))
    except (OSError, ValueError):  # what a process leaves lying about is not ours
        return None


def _from_broker(broker: Process) -> Iterator[Exec]:
    """Give who started a process that has ended, or that init itself started, as systemd does."""
    with suppress(OSError):
        entry = proc.entry(broker.pid)
        if proc.is_same(entry, broker) and (shown := proc.image(entry, Process(entry.ppid, 0))):
            yield shown


def _variables(look: Look, ancestors: tuple[Exec, ...]) -> tuple[str, ...]:
    """Name the variables of a process; atd has its job's shell set them itself.

    One that has become somebody else's since may have another image's: they are left out.
    """
    pid = look.process.pid
    found = proc.variables(pid, look.variables)
    if ancestors and Path(ancestors[0].exe).name == _ATD:
        found = tuple(dict.fromkeys((*found, *proc.job_variables(pid, look.variables))))
    return found if proc.user(pid) == look.uid else ()


def _package(look: Look, root: str) -> Package | None:
    if look.module and look.python:
        return packages.of_module(root, look.python, look.module)
    return packages.of_program(root, look.program) if look.program else None


def _is_file(look: Look) -> bool:
    """Tell whether the file of a process that has ended is the host's of this path."""
    try:
        found = Path(look.exe).stat()
    except OSError:
        return False
    dev = os.major(found.st_dev) << _MINOR_BITS | os.minor(found.st_dev)
    return (dev, found.st_ino) == (look.file.dev, look.file.ino)


def _there(paths: tuple[str, ...], root: str, home: str | None) -> Iterator[str]:
    for path in paths:
        if path.startswith("~") and home is None:
            continue
        place = f"{home}{path[1:]}" if path.startswith("~") else path
        if os.path.lexists(root + place):
            yield path


def _nothing(look: Look) -> Seen:
    return Seen(at_ns=_now_ns(), process=look.process, no_look=True)


def _now_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
