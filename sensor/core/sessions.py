# SPDX-License-Identifier: Apache-2.0
"""Sessions: one run of a tool, from the process that became it to the last descendant.

A tool that another tool starts has a session of its own, and the outer one
lasts at least as long. A process that turns from one tool into another and
back returns to the session that it left.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.blake2 import blake2b

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.event import ProcessView
    from sensor.core.facts import Process
    from sensor.core.identity import Identity
    from sensor.core.judgment import Judgment
    from sensor.core.names import Names
    from sensor.core.tools import Tool

CHAIN = 4
"""Tools of one process that the kernel has room for (``probes/events.h``)."""

ID_BYTES = 5
"""40 bits are eight letters: a million sessions of one host make one collision likely."""

NESTING = 8
"""Sessions within sessions; one more level starts afresh, so that no chain of tools
that start each other holds on to all its past."""


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """One run of a tool; ``view`` shows the process that it began with.

    ``alive`` counts its processes and the sessions directly within it,
    ``processes`` all that it ever had. One that ``was_resumed`` was begun by
    another run of the sensor.

    ``chain`` are the tools in whose sessions it is, its own the last, as the
    kernel has room for. Where a rule ends it, ``doom`` says so.
    """

    id: str
    tool: Tool
    identity: Identity
    root: Process
    started_ns: int
    names: Names
    chain: tuple[int, ...] = ()
    parent: Session | None = None
    doom: Judgment | None = None
    view: ProcessView | None = None
    alive: int = 0
    processes: int = 0
    was_resumed: bool = False

    def around(self) -> Iterator[Session]:
        """Yield this session and all that it runs within, from the inside out."""
        session: Session | None = self
        while session:
            yield session
            session = session.parent

    def resumed(self, tool: Tool, process: Process) -> Session | None:
        """Return the session that a process of this one goes on with when it runs ``tool``."""
        for session in self.around():
            is_own = session is self or session.root == process
            if is_own and session.tool.id == tool.id:
                return session
        return None

    def doomed(self) -> Judgment | None:
        """Return why all in it are to be ended, if they are: for itself, or what is around it."""
        return next((session.doom for session in self.around() if session.doom), None)

    def may_nest(self) -> bool:
        """Tell whether one more session may run within this one."""
        return sum(1 for _ in self.around()) < NESTING

    def join(self, process: Process) -> None:
        """Count one more process; the root, if it comes back, as the one that it was."""
        self.alive += 1
        if process != self.root or self.is_new:
            self.processes += 1

    @property
    def is_new(self) -> bool:
        """Whether no process has joined yet."""
        return self.processes == 0


def chained(outer: tuple[int, ...], own: tuple[int, ...]) -> tuple[int, ...]:
    """Add a tool to those around it; where there is no room, it takes the last one's place."""
    return (*outer[: CHAIN - len(own)], *own)


def session_id(boot_id: str, root: Process, tool: Tool) -> str:
    """Name a session so that another run of the sensor gives it the same name.

    The tool is part of it because one process can become several in turn.
    """
    text = f"{boot_id} {root.pid} {root.started_ns} {tool.id}"
    return base64.b32encode(blake2b(text.encode(), digest_size=ID_BYTES).digest()).decode().lower()


class Sessions:
    """The sessions that are running, by the process that each began with."""

    def __init__(self) -> None:
        self._by_root: dict[Process, Session] = {}

    def __len__(self) -> int:
        return len(self._by_root)

    def running(self) -> tuple[Session, ...]:
        """Give the sessions that somebody is in, or in one within."""
        around = (one for inner in self._by_root.values() for one in inner.around())
        return tuple({id(one): one for one in around if one.alive}.values())

    def roots(self) -> tuple[Process, ...]:
        """Name the processes that sessions began with, whether they still run or not."""
        return tuple(self._by_root)

    def of_root(self, root: Process) -> Session | None:
        """Return the session that a process began; the innermost if it began several."""
        return self._by_root.get(root)

    def start(self, session: Session, view: ProcessView) -> None:
        """Take up a session; the one that it runs within lasts until it is over."""
        session.view = view
        self._by_root[session.root] = session
        if session.parent:
            session.parent.alive += 1

    def resume(self, session: Session, *, within: str | None) -> None:
        """Take up a session of another run, within the one of that id if it goes on too."""
        outer = (one for one in self._by_root.values() if one.id == within)
        session.parent = next(outer, None)
        if session.parent:
            session.chain = chained(session.parent.chain, session.chain[-1:])
        self._by_root[session.root] = session
        if session.parent:
            session.parent.alive += 1

    def sweep(self) -> Iterator[Session]:
        """End the sessions that nobody is in, the innermost first; yield them."""
        while idle := [one for one in self._by_root.values() if not one.alive]:
            for session in idle:
                self._end(session)
                yield session
                if session.parent:
                    session.parent.alive -= 1

    def leave(self, session: Session) -> Iterator[Session]:
        """Count one process less; yield the sessions that this ends, from the inside out."""
        for one in session.around():
            one.alive -= 1
            if one.alive:
                return
            self._end(one)
            yield one

    def _end(self, session: Session) -> None:
        if self._by_root.get(session.root) is not session:
            return
        if session.parent and session.parent.root == session.root:
            self._by_root[session.root] = session.parent
        else:
            del self._by_root[session.root]
