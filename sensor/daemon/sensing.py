# SPDX-License-Identifier: Apache-2.0
"""Probes and engine at work together: what both the foreground sensor and the daemon run."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from sensor.core.actions import Follow, Kill, Look, Record, Search
from sensor.core.facts import Exit, Loss, Process, Transport
from sensor.core.knowledge import LOST_MEMBER
from sensor.daemon import reconcile
from sensor.daemon.contents import Contents
from sensor.daemon.looking import Looking
from sensor.daemon.probing import Probing
from sensor.daemon.strangers import introduced
from sensor.edge import proc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sensor.core.actions import Action
    from sensor.core.catalogue import Catalogue
    from sensor.core.engine import Engine
    from sensor.core.event import Event
    from sensor.core.facts import Connect, Exec, Fact
    from sensor.daemon.instance import Pins


_NOBODY = Process(0, 0)

_LOOKS_S = 2.0
"""So long a start waits for looks at what ran before; a dead disk takes longer."""

_LOOKS_IN_A_ROW = 3
"""A process that becomes another image while it is looked at is looked at again."""

_TRIED_AGAIN_S = 1.0
"""At least that long there is no room, before whoever was left out is tried again."""


class Sensing:
    """Gives the engine what the probes tell, and does what it wants; events go to ``tell``.

    ``act`` takes what is done neither to the kernel's tables of members nor to the
    stream; without a policy nothing of that kind is wanted.
    """

    def __init__(self, pins: Pins, engine: Engine, *, tell: Callable[[Event], None]) -> None:
        self.engine = engine
        self.probing = Probing(pins, self.see)
        self._tell = tell
        self.looking = Looking()
        self.act: Callable[[Action], None] | None = None
        self._taken_in: dict[Process, Process] = {}
        self.contents: Contents | None = None
        self._were_ends_lost = False
        self._were_images_lost = False
        self._was_any_missed = False
        self._sorted_s = 0.0
        self._are_some_left_out = False
        self._tried_s = 0.0
        self._place: tuple[Path, Path] | None = None

    def look_inside(self, catalogue: Catalogue, pins: Pins, scope: Path, *, top: Path) -> Contents:
        """Have large files looked into that no name settles, from now on."""

        def recognised(images: Sequence[Exec]) -> None:
            self._find(images, scope, top)

        self.contents = Contents(catalogue, pins, self.probing.members, recognised=recognised)
        return self.contents

    def read(self) -> None:
        """Take the records that wait; where ends were lost, find out whose."""
        self.probing.read()
        if self._were_ends_lost:
            self._were_ends_lost = False
            self._bury()
        if self._are_some_left_out and time.monotonic() - self._tried_s >= _TRIED_AGAIN_S:
            self._let_in()
        if self._were_images_lost and time.monotonic() - self._sorted_s >= _TRIED_AGAIN_S:
            self._sort_out()
        if self._was_any_missed and time.monotonic() - self._tried_s >= _TRIED_AGAIN_S:
            self._make_up()

    def _sort_out(self) -> None:
        """Find out whose image was lost, and let go whoever the kernel follows for no session."""
        if self._place is None:
            return
        self._sorted_s = time.monotonic()
        followed, engine = dict(self.probing.members.all()), self.engine
        self._were_images_lost = False
        if not self.drain():  # who is followed may be told of there
            self._were_images_lost = True
            return
        roots, unsure = set(engine.roots()), set(self.probing.members.unsure())
        lost = {
            process: root
            for process, root in followed.items()
            if root not in roots and not engine.waits(root) and not engine.has(process)
        }
        scope, top = self._place
        for fact in reconcile.followed(lost, scope, top=top) if lost else ():
            self.see(fact)
            for action in engine.dismiss(fact.process) if fact.process in unsure else ():
                self.do(action)

    def _make_up(self) -> None:
        """Find what runs, as at a start: of a program that was not run nobody knows what it missed.

        Since Linux 7.0 a process that executes, forks or ends can be preempted in one
        (a46023d5616e): the next one on that CPU is not seen then, unless by a stand-by. On all
        kernels an interrupt can change a socket's state amid the program for another's.
        """
        self._was_any_missed = False
        if self._place:
            self._tried_s = time.monotonic()
            self._bury()
            scope, top = self._place
            self._find([], scope, top)
            self._sort_out()

    def _let_in(self) -> None:
        """Have those followed for whom there was no room, and what they have started since.

        Ends of others bring this about: they make room, and are told.
        """
        self._tried_s = time.monotonic()
        self._are_some_left_out = False
        self._bury()
        find = self.probing.members.find
        left_out = [one for one in self.engine.processes() if find(one.pid) != one]
        for action in self.engine.follow(left_out):
            if not self.probing.follow(action):
                self._are_some_left_out = True
                return
            self._take_in(action)
        if self._place and left_out:
            scope, top = self._place
            self._find([], scope, top)

    def drain(self) -> bool:
        """Take all that waits now, and tell whether that was all.

        More may come as fast as it is read, or faster: it is not waited for.
        """
        ring = self.probing.ring
        until = ring.reserved()
        while (is_more := bool(self.probing.read())) and not ring.has_read(until):
            pass
        self.look()
        return not is_more

    def look(self) -> None:
        """Take what looks have shown, behind what the kernel told meanwhile: an end, say."""
        facts = list(self.looking.take())
        if facts:
            self.probing.read()
        for fact in facts:
            self.see(fact)

    def finish(self) -> None:
        """Tell what waits for looks, at the end: nobody else would."""
        for _ in range(_LOOKS_IN_A_ROW):
            self.looking.settle(_LOOKS_S)
            self.look()

    def _bury(self) -> None:
        """End what has ended unseen: nobody else would, and its session would never be over."""
        find = self.probing.members.find
        gone = [
            process
            for process in self.engine.processes()
            if find(process.pid) != process and not proc.lives(process)
        ]
        self.drain()  # their records may be on their way
        for process in gone:
            now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            self.see(Exit(at_ns=now_ns, process=process, root=process, status=None))

    def see(self, fact: Fact) -> None:
        """Have the engine look at a fact."""
        if isinstance(fact, Loss):
            self._were_ends_lost |= fact.what == "exit"
            self._were_images_lost |= fact.what == "exec"
            self._are_some_left_out |= fact.what == LOST_MEMBER
            self._was_any_missed |= fact.what == "missed"
        for action in self.engine.see(introduced(fact)):
            self.do(action)

    def do(self, action: Action) -> None:
        """Do what the engine wants."""
        self.probing.apply(action)
        if isinstance(action, Follow):
            self._take_in(action)
        if isinstance(action, Record):
            self._tell(action.event)
        elif isinstance(action, Look):
            self.looking.ask(action)
        elif isinstance(action, Search):
            if self.contents:
                self.contents.search(action.image)
        elif self.act:
            self.act(action)

    def _take_in(self, action: Follow) -> None:
        if self.act:
            self._taken_in[action.process] = action.root

    def taken_in(self) -> dict[Process, Process]:
        """Give who was found to belong to a session since the last time, with its root."""
        taken_in, self._taken_in = self._taken_in, {}
        return taken_in

    def found_open(self, connection: Connect) -> None:
        """See a connection that was made before its process was judged by what is in force."""
        self.read()  # the kernel's own record of it comes first, if there is one
        owner = connection.process
        if self.probing.members.find(owner.pid) != owner and not self.engine.has(owner):
            # It has ended since it was listed: nobody would tell of its end once more.
            connection = replace(connection, root=_NOBODY)
        elif connection.transport is Transport.TCP:
            self.probing.follow_connection(connection)
        self.see(connection)

    def reconcile(self, scope: Path, *, top: Path) -> None:
        """Find what ran before the probes, and its connections.

        Twice: what a running tool forked meanwhile is its child now.
        """
        self._place = scope, top
        self._find([], scope, top, at_start=True)
        self._sort_out()  # nobody has counted what was lost while nobody was there

    def _find(
        self, images: Sequence[Exec], scope: Path, top: Path, *, at_start: bool = False
    ) -> None:
        """See images, and what runs in the scope with them: children of theirs, and others.

        Nobody is ended before all are known: whoever loses a parent is nobody's child.
        """
        found: dict[Process, Process] = {}
        kills: list[Kill] = []
        for image in images:
            self._sort(image, found, kills)
        roots = {root.pid: root for root in self.engine.roots()}
        for _ in range(2):
            known = self.probing.members.find
            for image in reconcile.running(scope, top=top, known=known, roots=roots):
                self._sort(self.contents.late(image) if self.contents else image, found, kills)
            for fact in self._looked() if at_start else ():
                self._sort(fact, found, kills)
        for kill in kills:
            self.do(kill)
            found.pop(kill.process, None)
        self._bury()  # what ended before the kernel was told to follow it
        for connection in reconcile.connections(found):
            self.found_open(connection)

    def _looked(self) -> Iterator[Fact]:
        """Wait for what looks show at the start, when nothing is held up by that."""
        self.looking.settle(_LOOKS_S)
        yield from self.looking.take()

    def _sort(self, fact: Fact, found: dict[Process, Process], kills: list[Kill]) -> None:
        """Do what a fact calls for, but for ending anybody; note who is followed now."""
        for action in self.engine.see(fact):
            if isinstance(action, Kill):
                kills.append(action)
                continue
            self.do(action)
            if isinstance(action, Follow):
                found[action.process] = action.root

    def take_over(self, scope: Path, *, top: Path) -> None:
        """Go on with the processes that the kernel has followed while nobody was there.

        Its records of that time come afterwards, from the ring.
        """
        followed = dict(self.probing.members.all())
        for process in followed:
            if not proc.lives(process):  # a kill left it: nobody else would take it out
                self.probing.members.release(process)
        for fact in reconcile.followed(followed, scope, top=top):
            self.see(fact)
