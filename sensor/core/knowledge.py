# SPDX-License-Identifier: Apache-2.0
"""What the engine knows: who belongs to which session, what is open, which policy is in force."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address
from typing import TYPE_CHECKING

from sensor.core.actions import Kill
from sensor.core.brokers import Clients
from sensor.core.bulletin import put_right, told
from sensor.core.condemned import Condemned
from sensor.core.event import NameSource
from sensor.core.facts import Loss, Transport
from sensor.core.flows import Flows
from sensor.core.identity import Identifier
from sensor.core.judgment import Rulebook
from sensor.core.lineage import Lineage, Member
from sensor.core.names import Endpoints
from sensor.core.notices import Notices
from sensor.core.numbering import Numbering
from sensor.core.policy.judge import Execution, Reach
from sensor.core.risk import words_of
from sensor.core.sessions import Sessions
from sensor.core.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.actions import Action
    from sensor.core.catalogue import Catalogue
    from sensor.core.enforced import Enforced
    from sensor.core.event import Event, Evidence, ProcessView
    from sensor.core.facts import Address, Close, Connect, Exit, Hello, Process, Resolved, Undone
    from sensor.core.flows import Flow
    from sensor.core.host import Host
    from sensor.core.sessions import Session

LOSS_EVERY_NS = 1_000_000_000
"""The engine's own losses are summed up that long: a flood is not to be answered by a flood."""

LOST_MEMBER = "member"
"""A process had to be forgotten to make room for another."""

LOST_UNPLACED = "unplaced"
"""A followed process connected, and nothing is known of it or of its session."""


class Knowledge:
    """All that outlives a fact. Bounded by ``limit`` processes and the sessions they are in."""

    def __init__(self, catalogue: Catalogue, host: Host, *, limit: int, first_seq: int) -> None:
        self.catalogue = catalogue
        self.host = host
        self.identifier = Identifier(catalogue)
        self.endpoints = Endpoints(catalogue)
        self.numbering = Numbering(host, first_seq)
        self.stream = Stream(host, self.numbering)
        self.lineage = Lineage(limit)
        self.sessions = Sessions()
        self.clients = Clients()
        self.flows = Flows()
        self.rules = Rulebook()
        self.notices = Notices()
        self.condemned = Condemned()
        self._evicted: list[Member] = []
        self._lost: Counter[str] = Counter()
        self._told_ns = -LOSS_EVERY_NS

    def learn(self, catalogue: Catalogue) -> None:
        """Go by another catalogue. Sessions that run are named by it from the next name on."""
        self.catalogue = catalogue
        self.identifier = Identifier(catalogue)
        self.endpoints = Endpoints(catalogue)

    def member(self, fact: Connect | Close | Resolved | Hello) -> Member | None:
        """Return whose doing a fact is, by the kernel's root if all else about it was lost."""
        if member := self.lineage.member(fact.process):
            return member
        if self.lineage.is_stranger(fact.process):
            return None
        session = self.sessions.of_root(fact.root)
        return unseen(fact.process, session) if session else None

    def newcomer(self, fact: Connect) -> Member | None:
        """Take in a process of lost beginnings. It connects, so it is alive, and will end."""
        if member := self.member(fact):
            self.admit(member)
        return member

    def miss(self, fact: Connect) -> None:
        """Count a connection of a process that is followed, and of which nothing is known."""
        if fact.root.pid and not fact.late and not self.lineage.is_stranger(fact.process):
            self._lost[LOST_UNPLACED] += 1

    def admit(self, member: Member, before: Member | None = None) -> None:
        """Take a process into its session, where it may have been before."""
        if before is None or before.session is not member.session:
            member.session.join(member.process)
        if evicted := self.lineage.add(member):
            self._evicted.append(evicted)

    def leave(self, session: Session, at_ns: int) -> Iterator[Action]:
        """Count one process of a session less, and tell of the sessions that this ends."""
        for ended in self.sessions.leave(session):
            yield self.stream.ended(at_ns, ended)

    def account(self, at_ns: int) -> Iterator[Action]:
        """Account for what was forgotten, and tell of it now and then."""
        if not (self._evicted or self._lost):
            return
        for member in self._evicted:
            self._lost[LOST_MEMBER] += 1
            yield from self.leave(member.session, at_ns)
        self._evicted.clear()
        if self._told_ns <= at_ns < self._told_ns + LOSS_EVERY_NS:
            return
        self._told_ns = at_ns
        for what, count in self._lost.items():
            yield told(Loss(at_ns=at_ns, what=what, count=count), self.numbering)
        self._lost.clear()

    def kill(self, process: Process, told: Event) -> Kill:
        """End a process, as an event says; whether it was by us that it ended is seen later."""
        self.condemned.note(process, told)
        return Kill(process, told.rule)

    def put_right(self, fact: Exit | Undone) -> Iterator[Action]:
        """Tell of a process that was not ended by us, where an event says that it was."""
        if spared := self.condemned.spared(fact):
            yield put_right(fact.at_ns, *spared, self.numbering)

    def wall_ns(self, at_ns: int) -> int:
        """Give the wall clock of a time since boot, by which exceptions end."""
        return at_ns + self.host.wall_offset_ns

    def execution(
        self, tool: str, process: Process, view: ProcessView | None, risk: tuple[Evidence, ...]
    ) -> Execution:
        """Put to policy that a process runs a tool, and what is dangerous about that."""
        return Execution(
            tool=tool,
            uid=_uid(view),
            cgroup=(view.cgroup if view else None) or "/",
            in_container=self.host.in_container(process),
            exe=view.exe if view else None,
            risk=words_of(risk),
        )

    def reach(self, flow: Flow, enforced: Enforced) -> Reach:
        """Put to policy that a connection is open. Through a proxy, its target is what counts."""
        member, to = flow.member, flow.to
        session, view = member.session, member.view()
        tools = (self.catalogue.by_index(index) for index in session.chain)
        resolver = session.names.resolver(to.name, to.ip) if to.name and to.ip else None
        is_proxied = to.name_source is NameSource.PROXY
        return Reach(
            tools=tuple(tool.id for tool in tools if tool),
            uid=_uid(view if view.uid is not None else session.view),
            cgroup=view.cgroup or "/",
            in_container=self.host.in_container(member.process),
            exe=session.view.exe if session.view else None,
            address=literal(to.name or "") if is_proxied else to.ip,
            port=flow.target_port or to.port or 0,
            transport=Transport(to.transport or Transport.TCP),
            name=to.name,
            name_source=to.name_source,
            is_name_trusted=enforced.trusts(resolver),
        )


def unseen(process: Process, session: Session, *, ppid: int | None = None) -> Member:
    """Return a member of which only the session is known: how it came to be was lost."""
    return Member(process=process, ppid=ppid, session=session, depth=None, image=None)


def literal(name: str) -> Address | None:
    """Read an address that stands in the place of a name."""
    try:
        return ip_address(name.strip("[]"))
    except ValueError:
        return None


def _uid(view: ProcessView | None) -> int:
    """Give the user of a process; one that is not known is nobody that a rule could name."""
    return -1 if view is None or view.uid is None else view.uid
