# SPDX-License-Identifier: Apache-2.0
"""Lineage: which process belongs to which session, and how far from its tool.

The table holds what the kernel follows and was found to be of interest. An
entry dies with its process; if ends get lost, the oldest entries make room.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sensor.core.event import ProcessView

if TYPE_CHECKING:
    from sensor.core.facts import Exec, Fork, Process
    from sensor.core.sessions import Session

MEMBERS = 65_536
"""Processes known at a time: twice PID_MAX_DEFAULT of include/linux/threads.h."""

STRANGERS = 8192
"""Processes remembered as no one's: it takes that long for what the kernel had
recorded about one to pass, once it is told to forget it."""


@dataclass(slots=True, kw_only=True, eq=False)
class Member:
    """A process of a session.

    ``image`` shows the process that ran its image first: itself, or whoever
    forked it. ``depth`` counts the images between the tool and this one: 0 is
    the tool, 1 what its processes run, and so on; None where a lost record
    hides it. ``recorded`` tells whether its own exec is on the stream. ``lineage`` says
    what put the process itself into the session, where it was not its parent.
    ``found_ns`` is when /proc showed it, which knows its parent and not its past: records
    of the kernel from before that tell the past once more.
    """

    process: Process
    ppid: int | None
    session: Session
    depth: int | None
    image: ProcessView | None
    recorded: bool = False
    lineage: str | None = None
    found_ns: int | None = None

    def view(self) -> ProcessView:
        """Return what is known of the process itself."""
        pid, started_ns = self.process.pid, self.process.started_ns
        if self.image is None:
            return ProcessView(pid=pid, started_ns=started_ns, ppid=self.ppid)
        if self.recorded:
            return self.image
        return replace(self.image, pid=pid, started_ns=started_ns, ppid=self.ppid)

    def child(self, process: Process) -> Member:
        """Return the process that this one forked: the same image until it runs another."""
        return Member(
            process=process,
            ppid=self.process.pid,
            session=self.session,
            depth=self.depth,
            image=self.image,
        )

    def below(self) -> int | None:
        """Return the depth of an ordinary program that this process runs."""
        return None if self.depth is None else self.depth + 1

    def is_told_by(self, at_ns: int) -> bool:
        """Tell whether a record of that time is of the past of what /proc showed."""
        return self.found_ns is not None and at_ns < self.found_ns


class Lineage:
    """The members of all sessions, and the strangers: processes that turned out to be no one's."""

    def __init__(self, limit: int = MEMBERS) -> None:
        self._limit = limit
        self._members: dict[Process, Member] = {}
        self._strangers: OrderedDict[Process, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._members)

    def member(self, process: Process) -> Member | None:
        """Return what is known of a process that belongs to a session."""
        return self._members.get(process)

    def processes(self) -> tuple[Process, ...]:
        """Name the members."""
        return tuple(self._members)

    def members(self) -> tuple[Member, ...]:
        """Give all that is known of each member."""
        return tuple(self._members.values())

    def around(self, fact: Exec) -> tuple[Session, int | None] | None:
        """Return the session around a new image, and the depth of an ordinary program there.

        The image that /proc showed already is not below itself, but below the parent.
        """
        before, parent = self._members.get(fact.process), self._members.get(fact.parent)
        if before is None or (
            before.is_told_by(fact.at_ns) and parent and parent.session is before.session
        ):
            before = parent
        return (before.session, before.below()) if before else None

    def is_child(self, fact: Fork) -> bool:
        """Tell whether a child was found in /proc before its record came; put its depth right."""
        child, parent = self._members.get(fact.process), self._members.get(fact.parent)
        if child and parent and child.is_told_by(fact.at_ns) and parent.session is child.session:
            child.depth, child.found_ns = parent.depth, None  # its images are yet to be told
        return child is not None

    def is_stranger(self, process: Process) -> bool:
        """Tell whether a process was found to belong to no session."""
        return process in self._strangers

    def add(self, member: Member) -> Member | None:
        """Take in a member, or what it has become; return the one that had to make room."""
        self._strangers.pop(member.process, None)
        self._members.pop(member.process, None)  # a new image makes it young again
        self._members[member.process] = member
        if len(self._members) <= self._limit:
            return None
        return self._members.pop(next(iter(self._members)))

    def reject(self, process: Process) -> None:
        """Remember that a process is no one's."""
        self._strangers[process] = None
        if len(self._strangers) > STRANGERS:
            self._strangers.popitem(last=False)

    def end(self, process: Process) -> Member | None:
        """Forget a process; return what it was to a session."""
        return self._members.pop(process, None)
