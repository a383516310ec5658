# SPDX-License-Identifier: Apache-2.0
"""The engine: decides what each fact calls for.

Facts come in the order in which the kernel saw them, and what they call for
leaves in that order. The engine is the only place that knows sessions: the
kernel follows what looks like a tool, the engine finds out whether it is one
and has the kernel forget what is not.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, assert_never

from sensor.core.actions import Follow, Release
from sensor.core.facts import (
    Close,
    Connect,
    Damaged,
    Exec,
    Exit,
    Fork,
    Found,
    Gap,
    Loss,
    Process,
    Resolved,
    Transport,
)
from sensor.core.flows import Flow, Flows
from sensor.core.identity import Identifier, Identity
from sensor.core.lineage import MEMBERS, Lineage, Member
from sensor.core.names import Endpoints, Names
from sensor.core.sessions import Session, Sessions, session_id
from sensor.core.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.actions import Action
    from sensor.core.catalogue import Catalogue
    from sensor.core.event import Event
    from sensor.core.facts import Fact
    from sensor.core.host import Host

LOSS_EVERY_NS = 1_000_000_000
"""The engine's own losses are summed up that long: a flood is not to be answered by a flood."""

LOST_MEMBER = "member"
"""A process had to be forgotten to make room for another."""

LOST_UNPLACED = "unplaced"
"""A followed process connected, and nothing is known of it or of its session."""


class Engine:
    """Decides what each fact calls for.

    It keeps no clock of its own: time is whatever the last fact said it was.
    What it remembers is bounded by ``limit`` processes and the sessions they
    are in. Not every order of facts can happen, but every one is survived.
    """

    def __init__(
        self, catalogue: Catalogue, host: Host, *, limit: int = MEMBERS, first_seq: int = 1
    ) -> None:
        self._boot_id = host.boot_id
        self._catalogue = catalogue
        self._identifier = Identifier(catalogue)
        self._endpoints = Endpoints(catalogue)
        self._stream = Stream(host, first_seq)
        self._lineage = Lineage(limit)
        self._sessions = Sessions()
        self._evicted: list[Member] = []
        self._flows = Flows()
        self._lost: Counter[str] = Counter()
        self._told_ns = -LOSS_EVERY_NS

    @property
    def members(self) -> int:
        """Count the processes that belong to a session."""
        return len(self._lineage)

    @property
    def sessions(self) -> int:
        """Count the sessions that are running."""
        return len(self._sessions)

    def processes(self) -> tuple[Process, ...]:
        """Name the processes that belong to a session."""
        return self._lineage.processes()

    def roots(self) -> tuple[Process, ...]:
        """Name the processes that running sessions began with."""
        return self._sessions.roots()

    def see(self, fact: Fact) -> Iterator[Action]:
        """Take a fact; yield what it calls for. Each iterator is to be used up before the next."""
        match fact:
            case Exec():
                yield from self._exec(fact)
            case Connect():
                yield from self._connect(fact)
            case Close():
                yield from self._close(fact)
            case Fork():
                yield from self._fork(fact)
            case Exit():
                yield from self._exit(fact)
            case Resolved():
                yield from self._resolved(fact)
            case Loss() | Damaged() | Gap():
                yield self._stream.missing(fact)
            case Found():
                yield self._stream.found(fact)
            case _:
                assert_never(fact)
        if self._evicted or self._lost:
            yield from self._account(fact.at_ns)

    def resume(self, began: Event) -> None:
        """Take up a session that another run of the sensor began, by its ``session_start``.

        Nobody is in it until late facts or the kernel's records say so. A
        session of a tool that the catalogue does not have any more is left out.
        """
        tool = self._catalogue.tool(began.tool or "")
        view = began.process
        if tool is None or view is None or began.session is None:
            return
        self._sessions.resume(
            Session(
                id=began.session,
                tool=tool,
                identity=Identity(
                    tool=tool,
                    confidence=began.confidence or 0.0,
                    evidence=began.evidence,
                    script=view.script,
                ),
                root=Process(view.pid, view.started_ns),
                started_ns=view.started_ns if began.late else began.at_ns,
                names=Names(self._endpoints),
                view=view,
                processes=1,
                was_resumed=True,
            ),
            within=began.parent_session,
        )

    def settle(self, at_ns: int) -> Iterator[Action]:
        """End the sessions in which nobody is: what they were waiting for happened unseen."""
        for session in self._sessions.sweep():
            yield self._stream.ended(at_ns, session)

    def _exec(self, fact: Exec) -> Iterator[Action]:
        before = self._lineage.member(fact.process)
        was_released = self._lineage.is_stranger(fact.process)
        if fact.late and (before or was_released):
            return  # a record of the kernel was first
        identity = self._identifier.identify(fact)
        home, depth = self._home(fact, before)
        session = self._session(fact, identity, home)
        if session is None:
            if not fact.late:  # else the kernel does not follow it
                self._lineage.reject(fact.process)
                yield Release(fact.process)
            return
        member = Member(
            process=fact.process,
            ppid=fact.parent.pid,
            session=session,
            depth=0 if identity.tool else depth,
            image=self._stream.image(fact, identity),
            recorded=True,
        )
        is_new = session.is_new
        if is_new:
            self._sessions.start(session, member.view())
        self._admit(member, before)
        if before and before.session is not session:
            yield from self._leave(before.session, fact.at_ns)
        # A release can overtake the exec that makes a tool of the process after all.
        if fact.late or was_released or (is_new and fact.root != session.root):
            yield Follow(fact.process, session.root)
        if is_new:
            yield self._stream.started(fact, session)
        if not (fact.late and session.was_resumed):  # else the run before has told of it
            yield self._stream.exec(fact, member, identity)

    def _home(self, fact: Exec, before: Member | None) -> tuple[Session | None, int | None]:
        """Return the session around a new image, and the depth of an ordinary program there."""
        if parent := before or self._lineage.member(fact.parent):
            return parent.session, parent.below()
        return self._sessions.of_root(fact.root), None

    def _session(self, fact: Exec, identity: Identity, home: Session | None) -> Session | None:
        """Return the session that a new image is part of; None if it is no one's."""
        tool = identity.tool
        if tool is None:
            return home
        if home and (session := home.resumed(tool, fact.process)):
            return session
        return Session(
            id=session_id(self._boot_id, fact.process, tool),
            tool=tool,
            identity=identity,
            root=fact.process,
            started_ns=fact.process.started_ns if fact.late else fact.at_ns,
            names=Names(self._endpoints),
            parent=home if home and home.may_nest() else None,
        )

    def _fork(self, fact: Fork) -> Iterator[Action]:
        if self._lineage.member(fact.process):
            return  # found in /proc before its record came
        if parent := self._lineage.member(fact.parent):
            self._admit(parent.child(fact.process))
        elif self._lineage.is_stranger(fact.parent):
            self._lineage.reject(fact.process)
            yield Release(fact.process)
        elif session := self._sessions.of_root(fact.root):
            self._admit(_unseen(fact.process, session, ppid=fact.parent.pid))

    def _exit(self, fact: Exit) -> Iterator[Action]:
        member = self._lineage.end(fact.process)
        if member is None:
            return
        if member.recorded:
            yield self._stream.exit(fact, member)
        yield from self._leave(member.session, fact.at_ns)

    def _connect(self, fact: Connect) -> Iterator[Action]:
        if fact.late and fact.cookie in self._flows:
            return  # a record of the kernel was first
        if member := self._lineage.member(fact.process) or self._newcomer(fact):
            to = member.session.names.reach(fact.address, fact.port, fact.transport.value)
            if fact.transport is Transport.TCP:  # of others, no close is told
                self._flows.open(fact.cookie, Flow(member, to))
            yield self._stream.connect(fact, member, to)

    def _close(self, fact: Close) -> Iterator[Action]:
        if flow := self._flows.close(fact.cookie):
            yield self._stream.close(fact, flow.member, flow.to)
        elif member := self._member(fact):
            tcp = Transport.TCP.value
            to = member.session.names.destination(fact.address, fact.port, tcp)
            yield self._stream.close(fact, member, to)

    def _resolved(self, fact: Resolved) -> Iterator[Action]:
        if member := self._member(fact):
            endpoint = member.session.names.learn(fact.name, fact.addresses)
            yield self._stream.resolve(fact, member, endpoint)

    def _member(self, fact: Connect | Close | Resolved) -> Member | None:
        """Return whose doing a fact is, by the kernel's root if all else about it was lost."""
        if member := self._lineage.member(fact.process):
            return member
        if self._lineage.is_stranger(fact.process):
            return None
        session = self._sessions.of_root(fact.root)
        return _unseen(fact.process, session) if session else None

    def _newcomer(self, fact: Connect) -> Member | None:
        """Take in a process of lost beginnings. It connects, so it is alive, and will end."""
        if member := self._member(fact):
            self._admit(member)
        elif not fact.late and not self._lineage.is_stranger(fact.process):
            self._lost[LOST_UNPLACED] += 1
        return member

    def _admit(self, member: Member, before: Member | None = None) -> None:
        """Take a process into its session, where it may have been before."""
        if before is None or before.session is not member.session:
            member.session.join(member.process)
        if evicted := self._lineage.add(member):
            self._evicted.append(evicted)

    def _leave(self, session: Session, at_ns: int) -> Iterator[Action]:
        for ended in self._sessions.leave(session):
            yield self._stream.ended(at_ns, ended)

    def _account(self, at_ns: int) -> Iterator[Action]:
        """Account for what was forgotten, and tell of it now and then."""
        for member in self._evicted:
            self._lost[LOST_MEMBER] += 1
            yield from self._leave(member.session, at_ns)
        self._evicted.clear()
        if self._told_ns <= at_ns < self._told_ns + LOSS_EVERY_NS:
            return
        self._told_ns = at_ns
        for what, count in self._lost.items():
            yield self._stream.missing(Loss(at_ns=at_ns, what=what, count=count))
        self._lost.clear()


def _unseen(process: Process, session: Session, *, ppid: int | None = None) -> Member:
    """Return a member of which only the session is known: how it came to be was lost."""
    return Member(process=process, ppid=ppid, session=session, depth=None, image=None)
