# SPDX-License-Identifier: Apache-2.0
"""The daemon's end of its searcher: a process that is asked one question at a time."""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import time
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensor.daemon.probing import command
from sensor.errors import FrameError
from sensor.wire.searches import (
    LARGEST_BYTES,
    Answer,
    Outcome,
    answer_of,
    markers,
    script_markers,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sensor.core.catalogue import Catalogue

PATIENCE_S = 120.0
"""A search that takes longer hangs on a file system that does not answer."""

IDLE_S = 60.0
"""So long a process is kept that has nothing to do."""


@dataclass(slots=True)
class _AtWork:
    """The process, and since when it works or rests."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    since_s: float = field(default_factory=time.monotonic)
    is_busy: bool = False


class SearchProcess:
    """Starts the searcher when something is asked; lets one go that hangs, or has nothing to do."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._at_work: _AtWork | None = None
        self._answers: deque[tuple[Answer, list[int]]] = deque()
        self._ended: list[subprocess.Popen[bytes]] = []
        self._selector: selectors.BaseSelector | None = None
        self._ready: Callable[[], None] = self.read

    @property
    def pid(self) -> int | None:
        """The process at work, None where there is none."""
        return self._at_work.process.pid if self._at_work else None

    @property
    def is_busy(self) -> bool:
        """Whether a question was asked that is not answered."""
        return bool(self._answers) or bool(self._at_work and self._at_work.is_busy)

    def learn(self, catalogue: Catalogue) -> None:
        """Look for other texts; what was asked is to be asked again."""
        self._catalogue = catalogue
        self.end()

    def register(self, selector: selectors.BaseSelector, ready: Callable[[], None]) -> None:
        """Have a selector watch the process whenever there is one."""
        self._selector, self._ready = selector, ready
        if self._at_work:
            selector.register(self._at_work.channel, selectors.EVENT_READ, lambda _: ready())

    def ask(self, question: bytes, handles: Sequence[int]) -> None:
        """Ask for one file. Raises OSError where no process is to be had."""
        at_work = self._at_work = self._at_work or self._start()
        at_work.is_busy, at_work.since_s = True, time.monotonic()
        try:
            socket.send_fds(at_work.channel, [question], handles)
        except OSError:
            self._fail()

    def read(self) -> None:
        """Take what the process has found."""
        at_work = self._at_work
        if at_work is None:
            return
        handles: list[int] = []
        try:
            datagram, handles, _, _ = socket.recv_fds(at_work.channel, LARGEST_BYTES, 1)
            found = answer_of(datagram)
        except BlockingIOError:
            return
        except (OSError, FrameError):
            _close(handles)
            self._fail()
            return
        self._answers.append((found, handles))
        at_work.is_busy, at_work.since_s = False, time.monotonic()

    @contextmanager
    def answer(self) -> Iterator[tuple[Answer, Sequence[int]] | None]:
        """Give the answer that is there, if one is, with its descriptor, which is closed then."""
        if not self._answers:
            yield None
            return
        found, handles = self._answers.popleft()
        try:
            yield found, handles
        finally:
            _close(handles)

    def check(self) -> None:
        """Let the process go that hangs, or has nothing to do."""
        self._ended = [one for one in self._ended if one.poll() is None]
        at_work = self._at_work
        if at_work and time.monotonic() - at_work.since_s >= _limit_s(at_work):
            if at_work.is_busy:
                self._fail()
            else:
                self._end()

    def timeout(self) -> float | None:
        """Say for how long nothing is due; None: for ever."""
        if self._answers:
            return 0.0
        at_work = self._at_work
        if at_work is None:
            return None
        return max(0.0, at_work.since_s + _limit_s(at_work) - time.monotonic())

    def end(self) -> None:
        """Let the process go, and what it has found."""
        self._end()
        while self._answers:
            _close(self._answers.popleft()[1])

    def _start(self) -> _AtWork:
        texts = [told(self._catalogue.tools) for told in (markers, script_markers)]
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                command("searcher", f"--channel={theirs.fileno()}", f"--parent={os.getpid()}"),
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        for text in texts:
            ours.send(text)
        ours.setblocking(False)  # noqa: FBT003  # the socket's own interface
        if self._selector:
            self._selector.register(ours, selectors.EVENT_READ, lambda _: self._ready())
        return _AtWork(process, ours)

    def _fail(self) -> None:
        """Give up on what is looked into, and on the process that does."""
        was_busy = bool(self._at_work and self._at_work.is_busy)
        self._end()
        if was_busy:
            self._answers.append((Answer(Outcome.UNREADABLE), []))

    def _end(self) -> None:
        at_work, self._at_work = self._at_work, None
        if at_work is None:
            return
        if self._selector:
            with suppress(KeyError):
                self._selector.unregister(at_work.channel)
        at_work.channel.close()
        at_work.process.kill()  # not waited for: it may hang where no signal gets to it
        self._ended = [one for one in (*self._ended, at_work.process) if one.poll() is None]


def _limit_s(at_work: _AtWork) -> float:
    return PATIENCE_S if at_work.is_busy else IDLE_S


def _close(handles: Sequence[int]) -> None:
    for handle in handles:
        os.close(handle)
