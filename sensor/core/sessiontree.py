# SPDX-License-Identifier: Apache-2.0
"""A session as a tree: what its tool ran, what that ran, and whom each talked to.

A process stands below the one that started it. A process of which only the
children were told (it forked and ran nothing itself) has a place of its own, so
that what it started is not ascribed to somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensor.core.facts import Process
from sensor.core.words import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.event import Destination, Event, ProcessView, Traffic


@dataclass(slots=True)
class Link:
    """All connections of one process to one destination; bytes are those of closed ones."""

    to: Destination
    connections: int = 0
    closed: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    duration_ns: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)

    def close(self, traffic: Traffic) -> None:
        """Count the end of a connection; one that was open before us has no beginning."""
        self.closed += 1
        self.connections = max(self.connections, self.closed)
        self.sent_bytes += traffic.sent_bytes
        self.received_bytes += traffic.received_bytes
        self.duration_ns += traffic.duration_ns
        self.outcomes[traffic.outcome] = self.outcomes.get(traffic.outcome, 0) + 1

    def as_dict(self) -> dict[str, object]:
        """Return it in plain values."""
        return {
            "ip": None if self.to.ip is None else str(self.to.ip),
            "port": self.to.port,
            "transport": self.to.transport,
            "name": self.to.name,
            "endpoint": self.to.endpoint,
            "connections": self.connections,
            "closed": self.closed,
            "sent_bytes": self.sent_bytes,
            "received_bytes": self.received_bytes,
            "duration_ns": self.duration_ns,
            "outcomes": self.outcomes,
        }


@dataclass(slots=True, eq=False)
class Branch:
    """A process: the images it ran, in their order, what it connected to and what it started.

    ``starts`` names the sessions that began with it. ``views`` is empty where its
    own exec was not told; ``seen`` is then the image that it was forked with.
    """

    process: Process
    session: str | None
    starts: list[str] = field(default_factory=list)
    within: str | None = None
    parent: Process | None = None
    seen: ProcessView | None = None
    views: list[ProcessView] = field(default_factory=list)
    status: int | None = None
    duration_ns: int | None = None
    links: dict[tuple[object, ...], Link] = field(default_factory=dict)
    asked: dict[str, None] = field(default_factory=dict)
    children: list[Branch] = field(default_factory=list)

    @property
    def age(self) -> tuple[int, int]:
        """By what branches are ordered; a parent comes before its children."""
        return self.process.started_ns, self.process.pid

    def walk(self) -> Iterator[tuple[int, Branch]]:
        """Yield this branch and all below it with their depth; no recursion, trees run deep."""
        rest = [(0, self)]
        while rest:
            depth, branch = rest.pop()
            yield depth, branch
            rest += ((depth + 1, child) for child in reversed(branch.children))

    def own(self) -> dict[str, object]:
        """Return all but the children in plain values."""
        return {
            "pid": self.process.pid,
            "started_ns": self.process.started_ns,
            "session": self.session,
            "starts": self.starts,
            "images": [
                {
                    "exe": view.exe,
                    "script": view.script,
                    "argv": None if view.argv is None else list(view.argv),
                    "cwd": view.cwd,
                    "user": view.user,
                    "uid": view.uid,
                }
                for view in self.views
            ],
            "status": self.status,
            "duration_ns": self.duration_ns,
            "links": [link.as_dict() for link in self.links.values()],
            "asked": list(self.asked),
        }


def as_dict(branch: Branch) -> dict[str, object]:
    """Return a tree in plain values, its branches under ``children``, without recursion."""
    plain = {id(one): one.own() for _, one in branch.walk()}
    for _, one in branch.walk():
        plain[id(one)]["children"] = [plain[id(child)] for child in one.children]
    return plain[id(branch)]


class Trees:
    """Grows trees out of the events of one session, or of several within each other."""

    def __init__(self) -> None:
        self._branches: dict[Process, Branch] = {}

    def take(self, event: Event) -> None:
        """Add what one event tells."""
        view = event.process
        if view is None:
            return
        if event.is_refused:
            return  # neither did it run nor was anything reached by it
        branch = self._branch(Process(view.pid, view.started_ns), event.session)
        branch.seen = view
        branch.parent = branch.parent or event.parent
        match event.kind:
            case Kind.SESSION_START if event.session:
                branch.starts.append(event.session)
                branch.within = branch.within or event.parent_session
            case Kind.EXEC:
                branch.views.append(view)
            case Kind.EXIT:
                branch.status, branch.duration_ns = view.status, event.duration_ns
            case _ if to := event.destination:
                _reach(branch, event.kind, to, event.traffic)

    def roots(self) -> list[Branch]:
        """Return the trees as they are now, in the order of their beginning."""
        for branch in self._branches.values():
            branch.children.clear()
        tops: list[Branch] = []
        place = _Places(self._branches)
        for branch in list(self._branches.values()):
            above = place.above(branch)
            (above.children if above else tops).append(branch)
        for branch in self._branches.values():
            branch.children.sort(key=_age)
        return sorted(tops, key=_age)

    def _branch(self, process: Process, session: str | None) -> Branch:
        if process not in self._branches:
            self._branches[process] = Branch(process, session)
        return self._branches[process]


class _Places:
    """Finds for each branch the one that it stands below, always an older one: no circles."""

    def __init__(self, branches: dict[Process, Branch]) -> None:
        self._branches = branches
        self._roots = {session: one for one in branches.values() for session in one.starts}
        self._of_pid: dict[int, list[Branch]] = {}
        for one in sorted(branches.values(), key=_age):
            self._of_pid.setdefault(one.process.pid, []).append(one)

    def above(self, branch: Branch) -> Branch | None:
        """Return the parent, or else the tool whose session a branch is part of."""
        home = self._roots.get(branch.session or "")
        if home is branch:
            home = self._roots.get(branch.within or "")
        return _older(self._parent(branch, home), branch) or _older(home, branch)

    def _parent(self, branch: Branch, home: Branch | None) -> Branch | None:
        parent = branch.parent
        if parent is None:
            return self._by_pid(branch)
        if parent in self._branches:
            return self._branches[parent]
        # One that is older than the tool did not fork off it: it took an orphan in.
        if home and not branch.starts and parent.started_ns > home.process.started_ns:
            silent = self._branches[parent] = Branch(parent, branch.session)
            home.children.append(silent)
            return silent
        return None

    def _by_pid(self, branch: Branch) -> Branch | None:
        """Find who had the parent's pid when a process began."""
        ppid = branch.seen.ppid if branch.seen else None
        before = [one for one in self._of_pid.get(ppid or 0, ()) if one.age < branch.age]
        return before[-1] if before else None


def _older(above: Branch | None, branch: Branch) -> Branch | None:
    return above if above and above.age < branch.age else None


def _age(branch: Branch) -> tuple[int, int]:
    return branch.age


def _reach(branch: Branch, kind: Kind, to: Destination, traffic: Traffic | None) -> None:
    if kind is Kind.RESOLVE:
        branch.asked[to.name or "-"] = None
        return
    key = (to.ip, to.port, to.transport, to.name)
    link = branch.links.setdefault(key, Link(to))
    if kind is Kind.CONNECT:
        link.connections += 1
    elif traffic:
        link.close(traffic)
