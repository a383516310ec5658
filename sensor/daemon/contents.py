# SPDX-License-Identifier: Apache-2.0
"""Large files that no name settles: looked into one at a time, by a process of its own.

What is found is written for the kernel, so that the next execution is judged
before it runs, and the images that run are seen again, now as the tool's.
"""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import time
from collections import Counter, OrderedDict, deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sensor.core.facts import Signal
from sensor.core.spelling import as_spelled
from sensor.daemon.inodes import Inodes
from sensor.daemon.probing import command
from sensor.edge import image_file, proc
from sensor.errors import FrameError
from sensor.wire.searches import LARGEST_BYTES, Answer, Outcome, answer_of, markers, request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sensor.core.catalogue import Catalogue
    from sensor.core.facts import Exec, File
    from sensor.daemon.instance import Pins
    from sensor.daemon.members import Members

QUEUED = 256
"""Files that wait; what comes beyond that is told again at its next execution."""

LARGE_BYTES = 20 << 20
"""From this size on a file that was there before the probes is looked into (``probes/files.c``)."""

PATIENCE_S = 120.0
"""A search that takes longer hangs on a file system that does not answer."""

REMEMBERED = 16_384
"""Files of which it is known what is in them, as many as the kernel remembers."""

_IDLE_S = 60.0
_SAME_FILE = 16


@dataclass(slots=True)
class _Wait:
    """A file that waits to be looked into, and the images that ran it meanwhile."""

    images: list[Exec]
    handle: int | None


@dataclass(slots=True)
class _Searcher:
    """The process at work; ``file`` is what it looks into since ``since_s``, if anything."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    since_s: float = field(default_factory=time.monotonic)
    file: File | None = None


class Contents:
    """The queue of files, and what was found; ``recognised`` gets images that are tools."""

    def __init__(
        self, catalogue: Catalogue, pins: Pins, members: Members, *,
        recognised: Callable[[Sequence[Exec]], None],
    ) -> None:  # fmt: skip
        self._catalogue = catalogue
        self._inodes = Inodes(pins, members, catalogue)
        self._recognised = recognised
        self._waiting: OrderedDict[File, _Wait] = OrderedDict()
        self._nothing: OrderedDict[File, None] = OrderedDict()
        self._known = dict(self._inodes.known())
        self._answers: deque[Answer] = deque()
        self._searcher: _Searcher | None = None
        self._ended: list[subprocess.Popen[bytes]] = []
        self._selector: selectors.BaseSelector | None = None
        self.counts: Counter[str] = Counter()

    def learn(self, catalogue: Catalogue) -> None:
        """Go by another catalogue: by other texts, what is in a file is found out again."""
        self._catalogue = catalogue
        if self._inodes.learn(catalogue):
            self._known.clear()
            self._nothing.clear()
            self._end()  # it looks for other texts
            self._ask()

    def watch(self) -> None:
        """Have the kernel tell of such files from now on."""
        self._inodes.watch()

    def register(self, selector: selectors.BaseSelector) -> None:
        """Have a selector watch the process that looks into files, whenever there is one."""
        self._selector = selector
        if self._searcher:
            selector.register(self._searcher.channel, selectors.EVENT_READ, lambda _: self.read())

    def late(self, image: Exec) -> Exec:
        """Say of an image of /proc what is in its file, or that this is not known yet."""
        if image.file.size_bytes < LARGE_BYTES:
            return image
        if tool := self._known.get((image.file.ino, image.file.ctime_ns)):
            return _as(image, tool)
        return replace(image, unsearched=image.file not in self._nothing)

    def search(self, image: Exec) -> None:
        """Have the file of an image looked into, unless it is known what is in it."""
        file = image.file
        if file in self._nothing:
            self._inodes.settle(file)
            return
        if wait := self._waiting.get(file):
            if len(wait.images) < _SAME_FILE:
                wait.images.append(image)
            return
        if len(self._waiting) >= QUEUED:
            self.counts["dropped"] += 1
            self._inodes.forget(file)
            return
        self._waiting[file] = _Wait([image], image_file.held(image.process))
        self._ask()

    def read(self) -> None:
        """Take what the process has found; :meth:`turn` deals with it."""
        searcher = self._searcher
        if searcher is None:
            return
        try:
            datagram = searcher.channel.recv(LARGEST_BYTES)
            self._answers.append(answer_of(datagram))
        except BlockingIOError:
            return
        except (OSError, FrameError):
            self._fail()

    def turn(self) -> None:
        """Deal with what was found, and go on; let the process go that hangs, or has nothing."""
        self._ended = [one for one in self._ended if one.poll() is None]
        while self._answers:
            self._take(self._answers.popleft())
        searcher = self._searcher
        if searcher and time.monotonic() - searcher.since_s >= _limit_s(searcher):
            if searcher.file:
                self._fail()
            else:
                self._end()
        self._ask()

    def timeout(self) -> float | None:
        """Say for how long nothing is due; None: for ever."""
        if self._answers:
            return 0.0
        searcher = self._searcher
        if searcher is None:
            return None
        return max(0.0, searcher.since_s + _limit_s(searcher) - time.monotonic())

    def _ask(self) -> None:
        """Ask for the file that has waited longest, if none is being looked into."""
        if not self._waiting or (self._searcher and self._searcher.file):
            return
        try:
            searcher = self._searcher = self._searcher or self._start()
        except OSError:  # no process to be had: they wait for the next one that comes
            return
        file, wait = next(iter(self._waiting.items()))
        handles = [] if wait.handle is None else [wait.handle]
        searcher.file, searcher.since_s = file, time.monotonic()
        try:
            asked = request(file, as_spelled(wait.images[0]).exe)
            socket.send_fds(searcher.channel, [asked], handles)
        except (OSError, FrameError):
            self._fail()
            return
        for handle in handles:
            os.close(handle)
        wait.handle = None

    def _start(self) -> _Searcher:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                command("searcher", f"--channel={theirs.fileno()}", f"--parent={os.getpid()}"),
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        ours.send(markers(self._catalogue.tools))
        ours.setblocking(False)  # noqa: FBT003  # the socket's own interface
        if self._selector:
            self._selector.register(ours, selectors.EVENT_READ, lambda _: self.read())
        return _Searcher(process, ours)

    def _take(self, found: Answer) -> None:
        """Write down what is in the file that was looked into."""
        searcher = self._searcher
        if searcher is None or searcher.file is None:
            return
        file, searcher.file, searcher.since_s = searcher.file, None, time.monotonic()
        self._settle(file, found)

    def _settle(self, file: File, found: Answer) -> None:
        wait = self._waiting.pop(file)
        if wait.handle is not None:
            os.close(wait.handle)
        self.counts[found.outcome.value] += 1
        if found.outcome is Outcome.NOTHING:
            self._nothing[file] = None
            if len(self._nothing) > REMEMBERED:
                self._nothing.popitem(last=False)
            self._inodes.settle(file)
        elif found.outcome is Outcome.TOOL and found.tool:
            tool = self._catalogue.index_of(found.tool)
            self._inodes.enter(file, tool)
            self._known = dict(self._inodes.known())
            now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            images = [
                replace(_as(one, tool), at_ns=now_ns, late=True, over=not proc.lives(one.process))
                for one in wait.images
            ]
            self._recognised(images)
        else:
            self._inodes.forget(file)

    def _fail(self) -> None:
        """Give up on the file that is looked into, and on the process that does."""
        searcher = self._searcher
        self._end()
        if searcher and searcher.file:
            self._settle(searcher.file, Answer(Outcome.UNREADABLE))

    def _end(self) -> None:
        searcher, self._searcher = self._searcher, None
        if searcher is None:
            return
        if self._selector:
            with suppress(KeyError):
                self._selector.unregister(searcher.channel)
        searcher.channel.close()
        searcher.process.kill()  # not waited for: it may hang where no signal gets to it
        self._ended = [one for one in (*self._ended, searcher.process) if one.poll() is None]

    def state(self) -> dict[str, object]:
        """Return what ``status`` says of it."""
        return {
            "waiting": len(self._waiting), "known": len(self._known), "searched": dict(self.counts),
        }  # fmt: skip

    def close(self) -> None:
        """Let the process and all files go."""
        self._end()
        for wait in self._waiting.values():
            if wait.handle is not None:
                os.close(wait.handle)
        self._waiting.clear()


def _limit_s(searcher: _Searcher) -> float:
    return PATIENCE_S if searcher.file else _IDLE_S


def _as(image: Exec, tool: int) -> Exec:
    """See an image as a tool's, by what is in its file."""
    return replace(
        image, tool=tool, signals=image.signals | Signal.CONTENT, unsearched=False, unsure=False
    )
