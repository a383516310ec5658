# SPDX-License-Identifier: Apache-2.0
"""Whom the kernel follows, and how many of them user space has entered.

While nobody is followed a hook costs one read: the probes add up how many they
have entered themselves and how many this file says it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.daemon.state import Slot, State
from sensor.edge import proc
from sensor.errors import NoRoomError
from sensor.wire import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sensor.core.facts import Process
    from sensor.daemon.instance import Pins


class Members:
    """The maps `members` and `state` of one instance; there is one writer at a time."""

    def __init__(self, pins: Pins, *, lives: Callable[[Process], bool] = proc.lives) -> None:
        self._lives = lives
        self._members = pins.map("members")
        self._state = State.of(pins)

    def find(self, pid: int) -> Process | None:
        """Tell whom the kernel follows under a pid, if anybody."""
        value = self._members.lookup(tables.pid_key(pid), tables.MEMBER.size)
        return None if value is None else tables.process_of(pid, value)

    def all(self) -> Iterator[tuple[Process, Process]]:
        """Give every process that is followed, with the root of its session."""
        for key, value in self._members.items(len(tables.pid_key(0)), tables.MEMBER.size):
            yield tables.member_of(key, value)

    def unsure(self) -> Iterator[Process]:
        """Give those who are followed for no tool: user space was to say whose they are."""
        for key, value in self._members.items(len(tables.pid_key(0)), tables.MEMBER.size):
            if not tables.tools_of(value):
                yield tables.member_of(key, value)[0]

    def follow(
        self, process: Process, root: Process, tools: Sequence[int] = (), *, paths: int = 0
    ) -> bool:
        """Have a process followed, unless it has ended: nobody would take it out again.

        Returns False where the kernel has no room. It is counted first: the sum must not
        be 0 while somebody is followed.
        ``tools`` are those in whose sessions it is, the outermost first, and ``paths``
        the bits of the folders that the innermost one's file lies below.
        """
        key, value = tables.pid_key(process.pid), tables.member(process, root, tools, paths=paths)
        self._state[Slot.USER_MEMBERS] += 1
        try:
            is_new = self._members.insert(key, value)
        except NoRoomError:
            self._state[Slot.USER_MEMBERS] -= 1
            return False
        if not is_new:
            self._members.replace(key, value)
            self._state[Slot.USER_MEMBERS] -= 1
        elif not self._lives(process):
            self.release(process)
        return True

    def release(self, process: Process) -> None:
        """Forget a process, unless its pid is somebody else's by now."""
        if self.find(process.pid) == process and self._members.delete(tables.pid_key(process.pid)):
            self._state[Slot.USER_MEMBERS] -= 1

    def renew_answers(self) -> None:
        """Have the kernel judge every file anew: the catalogue has changed."""
        self._state[Slot.GENERATION] += 1
