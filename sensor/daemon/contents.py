# SPDX-License-Identifier: Apache-2.0
"""Large files and scripts that no name settles: looked into by a process of its own, in turn.

What is found is written for the kernel, so that the next execution is judged
before it runs, and the images that run are seen again, now as the tool's.
"""

from __future__ import annotations

import os
import selectors
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sensor.core.facts import Exec, File, Process, Signal
from sensor.core.scripts import Script
from sensor.core.spelling import as_spelled
from sensor.daemon.inodes import Inodes
from sensor.daemon.scripts import Scripts
from sensor.daemon.search_process import SearchProcess
from sensor.edge import image_file, proc
from sensor.edge.roots import Roots
from sensor.wire.searches import Answer, Outcome, request, script_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sensor.core.catalogue import Catalogue
    from sensor.daemon.instance import Pins
    from sensor.daemon.members import Members

QUEUED = 256
"""Files that wait; what comes beyond that is told again at its next execution."""

SCRIPTS_QUEUED = 4096
"""Scripts that wait: they come faster than files, and are looked into faster."""

LARGE_BYTES = 20 << 20
"""From this size on a file that was there before the probes is looked into (``probes/files.c``)."""

REMEMBERED = 16_384
"""Files of which it is known what is in them, as many as the kernel remembers."""

_SAME_FILE = 16

_JUST_BEGUN_NS = 60_000_000_000
"""What began longer ago is dealt with as what ran already: a daemon may have been away."""

# A file; a script as the kernel knows it, or who ran one before the kernel told of any.
_Subject = File | Script | Process


@dataclass(slots=True)
class _Wait:
    """A file or script that waits to be looked into, and the images that ran it meanwhile.

    ``handle`` is of the file, or of the root that the script is below.
    """

    images: list[Exec]
    question: bytes
    handle: int | None
    release: Callable[[int], None]
    is_held: bool = False

    def __post_init__(self) -> None:
        """Note whether it was held: of who has ended the host's file of that path is taken."""
        self.is_held = self.handle is not None

    def let_go(self) -> None:
        """Hold the file or root no longer."""
        handle, self.handle = self.handle, None
        if handle is not None:
            self.release(handle)


class Contents:
    """The queue, and what was found; ``recognised`` gets images that are tools."""

    def __init__(
        self, catalogue: Catalogue, pins: Pins, members: Members, *,
        recognised: Callable[[Sequence[Exec]], None],
    ) -> None:  # fmt: skip
        self._catalogue = catalogue
        self._inodes = Inodes(pins, members, catalogue)
        self._scripts = Scripts(catalogue, pins)
        self._roots = Roots()
        self._recognised = recognised
        self._waiting: OrderedDict[_Subject, _Wait] = OrderedDict()
        self._files_waiting = 0
        self._harmless: OrderedDict[Process, None] = OrderedDict()
        self._nothing: OrderedDict[File, None] = OrderedDict()
        self._known = dict(self._inodes.known())
        self._process = SearchProcess(catalogue)
        self.counts: Counter[str] = Counter()

    def learn(self, catalogue: Catalogue) -> None:
        """Go by another catalogue: by other texts, what is in a file is found out again."""
        self._catalogue = catalogue
        self._scripts.learn(catalogue)
        if self._inodes.learn(catalogue):
            self._known.clear()
            self._nothing.clear()
        self._harmless.clear()
        self._process.learn(catalogue)
        self._ask()

    def watch(self) -> None:
        """Have the kernel tell of such files from now on."""
        self._inodes.watch()
        self._scripts.watch()

    def register(self, selector: selectors.BaseSelector) -> None:
        """Have a selector watch the process that looks into files, and the scripts it has seen."""
        self._process.register(selector, self.read)
        if self._scripts.changes:
            selector.register(self._scripts.changes, selectors.EVENT_READ, lambda _: self.read())

    def late(self, image: Exec) -> Exec:
        """Say of an image of /proc what is in its file, or that this is not known yet."""
        if image.process not in self._harmless and self._scripts.place(image):
            image = replace(image, unseen=True)
        if image.file.size_bytes < LARGE_BYTES:
            return image
        if tool := self._known.get((image.file.ino, image.file.ctime_ns)):
            return _as(image, tool)
        return replace(image, unsearched=image.file not in self._nothing)

    def search(self, image: Exec) -> None:
        """Have what an image runs looked into, unless it is known what is in it."""
        if image.unseen:
            self._search_script(image)
        if image.unsearched:
            self._search_file(image)

    def _search_file(self, image: Exec) -> None:
        file = image.file
        if file in self._nothing:
            self._inodes.settle(file)
        elif self._has_room(file, image, QUEUED):
            question, handle = request(file, as_spelled(image).exe), image_file.held(image.process)
            self._waiting[file] = _Wait([image], question, handle, os.close)
            self._files_waiting += 1
            self._ask()

    def _search_script(self, image: Exec) -> None:
        place, subject = self._scripts.place(as_spelled(image)), image.script or image.process
        if place is None or not self._has_room(subject, image, SCRIPTS_QUEUED):
            return
        handle = self._roots.hold(image.process)
        if handle is not None and not proc.lives(image.process):  # the pid may be another's
            self._roots.release(handle)
            handle = None
        self._waiting[subject] = _Wait([image], script_request(place), handle, self._roots.release)
        self._ask()

    def _has_room(self, subject: _Subject, image: Exec, most: int) -> bool:
        """Tell whether something is still to wait: it does not already, and there is room."""
        if wait := self._waiting.get(subject):
            if len(wait.images) < _SAME_FILE:
                wait.images.append(image)
            return False
        files = self._files_waiting
        if (files if isinstance(subject, File) else len(self._waiting) - files) < most:
            return True
        self.counts["dropped"] += 1
        self._forget(subject)
        return False

    def _forget(self, subject: _Subject) -> None:
        if isinstance(subject, File):
            self._inodes.forget(subject)
        elif isinstance(subject, Script):
            self._scripts.forget(subject)

    def read(self) -> None:
        """Take what the process has found; :meth:`turn` deals with it."""
        self._scripts.take_changes()
        self._process.read()

    def turn(self) -> None:
        """Deal with what was found, and go on."""
        self._process.check()
        with self._process.answer() as answered:
            if answered:
                self._settle(*answered)
        self._ask()

    def timeout(self) -> float | None:
        """Say for how long nothing is due; None: for ever."""
        return self._process.timeout()

    def _ask(self) -> None:
        """Ask for the file that has waited longest, if none is being looked into."""
        if not self._waiting or self._process.is_busy:
            return
        wait = next(iter(self._waiting.values()))
        try:
            self._process.ask(wait.question, [] if wait.handle is None else [wait.handle])
        except OSError:  # no process to be had: they wait for the next one that comes
            return
        wait.let_go()

    def _settle(self, found: Answer, handles: Sequence[int]) -> None:
        """Write down what is in the file that was looked into: the one that waits longest."""
        subject, wait = self._waiting.popitem(last=False)
        wait.let_go()
        self.counts[found.outcome.value] += 1
        if isinstance(subject, File):
            self._files_waiting -= 1
            self._settle_file(subject, wait, found)
        else:
            self._settle_script(subject, wait, found, handles)

    def _settle_file(self, file: File, wait: _Wait, found: Answer) -> None:
        if found.outcome is Outcome.NOTHING:
            self._nothing[file] = None
            if len(self._nothing) > REMEMBERED:
                self._nothing.popitem(last=False)
            self._inodes.settle(file)
        elif found.outcome is Outcome.TOOL and found.tool:
            tool = self._catalogue.index_of(found.tool)
            self._inodes.enter(file, tool)
            self._known = dict(self._inodes.known())
            self._recognise(_as(one, tool) for one in wait.images)
        else:
            self._inodes.forget(file)

    def _settle_script(
        self, subject: Script | Process, wait: _Wait, found: Answer, handles: Sequence[int]
    ) -> None:
        tool = self._scripts.tool(found.inside)
        if isinstance(subject, Script):
            if not (tool or wait.is_held) and self._scripts.is_tool(subject):
                pass  # it may be another file than the one that had that path below its root
            elif found.outcome in {Outcome.TOOL, Outcome.NOTHING}:
                file = (handles[0], found.file) if handles and found.file else None
                self._scripts.settle(subject, tool, file)
            elif found.outcome is Outcome.CHANGED:
                self._scripts.forget(subject)
            elif not self._scripts.is_tool(subject):
                self._scripts.retry(subject)
        if found.outcome is Outcome.NOTHING and not tool:
            self._remember(wait.images)
        if tool:
            # No run of a script can be refused before: one that has just begun is ended.
            now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            self._recognise(
                replace(
                    one, tool=tool, signals=one.signals | Signal.SCRIPT, inside=found.inside,
                    unseen=False,
                    unsure=not one.late and now_ns - one.at_ns < _JUST_BEGUN_NS,
                )
                for one in wait.images
            )  # fmt: skip

    def _remember(self, images: Iterable[Exec]) -> None:
        """Note who runs a script that is nothing: surveys find them again and again."""
        self._harmless |= dict.fromkeys(one.process for one in images)
        while len(self._harmless) > SCRIPTS_QUEUED:
            self._harmless.popitem(last=False)

    def _recognise(self, images: Iterable[Exec]) -> None:
        """Have images seen again that are a tool's, as far as they still run."""
        now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        seen = [
            replace(one, at_ns=now_ns, late=True, over=not proc.lives(one.process))
            for one in images
        ]
        if seen:
            self._recognised(seen)

    def state(self) -> dict[str, object]:
        """Return what ``status`` says of it."""
        return {
            "waiting": len(self._waiting), "known": len(self._known), "scripts": len(self._scripts),
            "searched": dict(self.counts),
        }  # fmt: skip

    def close(self) -> None:
        """Let the process and all files go."""
        self._process.end()
        for wait in self._waiting.values():
            wait.let_go()
        self._waiting.clear()
        self._files_waiting = 0
        self._scripts.close()


def _as(image: Exec, tool: int) -> Exec:
    """See an image as a tool's, by what is in its file."""
    return replace(
        image, tool=tool, signals=image.signals | Signal.CONTENT, unsearched=False, unsure=False
    )
