# SPDX-License-Identifier: Apache-2.0
"""Reaching: what connections, their ends, names and resolvers' answers call for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sensor.core.actions import Destroy
from sensor.core.event import Destination, NameSource
from sensor.core.facts import Hello, Transport
from sensor.core.flows import Flow, Said
from sensor.core.judgment import ALLOWED, Judgment, is_canary
from sensor.core.views import outsider
from sensor.core.words import Enforcement, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.actions import Action, Record
    from sensor.core.facts import Close, Connect, Exec, Resolved, Seen
    from sensor.core.identity import Identity
    from sensor.core.knowledge import Knowledge
    from sensor.core.lineage import Member
    from sensor.core.tools import Tool

_TCP = Transport.TCP.value
_ENDED = {_TCP, Transport.UDP.value}
"""Of other transports nobody can end a socket."""


class Reaching:
    """Names the far end of each connection, and tells what policy said of it."""

    def __init__(self, known: Knowledge) -> None:
        self._known = known

    def stranger(self, fact: Connect | Hello) -> Exec | None:
        """Give the image of a process in no session of which something is to be told."""
        known = self._known
        said = known.rules.said(fact.ruled)
        if fact.root.pid or said is None or said.verdict is Verdict.ALLOW or is_canary(fact.ruled):
            return None
        return None if known.lineage.member(fact.process) else fact.image

    def recognised(self, fact: Connect | Hello, seen: Seen) -> tuple[Exec, Identity, Tool] | None:
        """Give the image of a stranger and the tool that it turns out to be, by what it reaches."""
        image = self.stranger(fact)
        found = self._identity(fact, self._far_end(fact), seen) if image else None
        return (image, found, found.tool) if image and found and found.tool else None

    def connect(self, fact: Connect, seen: Seen | None = None) -> Iterator[Action]:
        """Take a new connection, or one that was refused; ``seen`` is a look at a stranger."""
        known = self._known
        if is_canary(fact.ruled):
            return
        if fact.late and (known_flow := known.flows.get(fact.cookie)):
            yield from self._again(fact, known_flow)
            return  # a record of the kernel was first
        said = known.rules.said(fact.ruled)
        member = known.lineage.member(fact.process) or known.newcomer(fact)
        if member is None:
            known.miss(fact)
            if said and said.verdict is not Verdict.ALLOW:
                yield from self._told(self._outside(fact, self._far_end(fact), said, seen))
            return
        names, judged = member.session.names, said or ALLOWED
        name = names.destination if judged.is_refused else names.reach
        to = self._named(name(fact.address, fact.port, fact.transport.value), fact)
        is_forgotten = fact.late and member.session.was_resumed and to.name is None
        flow = Flow(member, to, is_forgotten=is_forgotten)
        if fact.transport is Transport.TCP and not judged.is_refused:  # of others, no close is told
            flow = known.flows.open(fact.cookie, flow)
        # One that joined a session connected before the kernel knew of it.
        is_unjudged = fact.late or (member.lineage and fact.root != member.session.root)
        if is_unjudged and not judged.is_refused:
            judged = self.judged(flow, fact.at_ns) or judged
        if not fact.late or self._is_news(fact, member, judged):
            yield from self._told(known.stream.connect(fact, member, flow.to, judged))
        if judged.enforcement is Enforcement.DESTROY:
            yield from destruction(fact.cookie, flow)

    def _again(self, fact: Connect, flow: Flow) -> Iterator[Action]:
        """End a connection that is refused and was told of, or its verdict was, and is open."""
        if judged := self.judged(flow, fact.at_ns):
            if self._known.flows.end(fact.cookie):
                at_ns, known = fact.at_ns, self._known
                yield from self._told(
                    known.stream.open_already(at_ns, flow.member, flow.to, judged)
                )
            yield from destruction(fact.cookie, flow)

    def _is_news(self, fact: Connect, member: Member, judged: Judgment) -> bool:
        """Tell whether nobody was told of a connection that is found open, or of its end."""
        if judged.enforcement is Enforcement.DESTROY:
            return self._known.flows.end(fact.cookie)
        # Datagrams were told of when they went out, and the run before has told of its sessions'.
        return fact.transport is Transport.TCP and not member.session.was_resumed

    def _named(self, to: Destination, fact: Connect) -> Destination:
        """Name a far end by what policy judged it by, where its session never asked for a name."""
        if to.name:
            return to
        name = self._known.rules.domain(fact.ruled, fact.domain)
        return self._called(to, name, NameSource.DNS) if name else to

    def _called(self, to: Destination, name: str, source: NameSource | None) -> Destination:
        endpoint = self._known.endpoints.of_name(name) or to.endpoint
        return replace(to, name=name, name_source=source, endpoint=endpoint)

    def _far_end(self, fact: Connect | Hello) -> Destination:
        """Name what somebody in no session reaches."""
        if isinstance(fact, Hello):
            return self._greeted(fact, self._known.flows.get(fact.cookie))
        return self._named(self._address(fact), fact)

    def _address(self, fact: Connect) -> Destination:
        endpoint = self._known.endpoints.in_range(fact.address)
        return Destination(
            ip=fact.address,
            port=fact.port,
            transport=fact.transport.value,
            name_source=NameSource.RANGE if endpoint else None,
            endpoint=endpoint,
        )

    def _outside(
        self, fact: Connect | Hello, to: Destination, said: Judgment, seen: Seen | None
    ) -> Record:
        known = self._known
        identity = self._identity(fact, to, seen)
        view = outsider(known.host, fact, identity)
        runner = known.identifier.runner(seen) if seen else None
        return known.stream.stranger(fact, view, to, said, identity, runner)

    def _identity(
        self, fact: Connect | Hello, to: Destination, seen: Seen | None
    ) -> Identity | None:
        if fact.image is None:
            return None
        return self._known.identifier.identify(fact.image, seen, endpoint=to.endpoint)

    def _told(self, record: Record) -> Iterator[Action]:
        """Tell of an attempt, and the person at the terminal if it was refused."""
        yield record
        if record.event.is_refused:
            yield from self._known.notices.of(record.event)

    def judged(self, flow: Flow, at_ns: int) -> Judgment | None:
        """Say why an open connection is refused, None where it is not."""
        enforced = self._known.rules.in_force
        if enforced is None:
            return None
        reach, now_ns = self._known.reach(flow, enforced), self._known.wall_ns(at_ns)
        if flow.is_forgotten and enforced.hangs_on_name(reach, now_ns):
            return None
        said, _ = enforced.judge(reach, now_ns)
        if said.verdict is not Verdict.BLOCK:
            return None
        can_end = flow.to.transport in _ENDED
        return replace(said, enforcement=Enforcement.DESTROY if can_end else Enforcement.NONE)

    def hello(self, fact: Hello, seen: Seen | None = None) -> Iterator[Action]:
        """Take what a connection says first: a name for it, and maybe its end."""
        known = self._known
        if is_canary(fact.ruled):
            return
        if fact.name and fact.source:
            endpoint = known.endpoints.of_name(fact.name)
            if fact.root.pid or fact.cookie in known.flows:
                said = Said(fact.name, fact.source, endpoint, fact.target_port)
                known.flows.name(fact.cookie, said)
        judged = known.rules.said(fact.ruled)
        if judged is None or judged.verdict is Verdict.ALLOW:
            return
        flow = known.flows.get(fact.cookie)
        member = flow.member if flow else known.member(fact)
        to = self._greeted(fact, flow)
        if member:
            yield from self._told(known.stream.connect(fact, member, to, judged))
        else:
            yield from self._told(self._outside(fact, to, judged, seen))
        if judged.is_refused:
            yield Destroy(
                process=fact.process,
                cookie=fact.cookie,
                remote=(fact.remote, fact.remote_port),
                local=(fact.local, fact.local_port),
            )

    def _greeted(self, fact: Hello, flow: Flow | None) -> Destination:
        """Name the far end of a connection by its first words, or as it was called before."""
        to = Destination(ip=fact.remote, port=fact.remote_port, transport=_TCP)
        if fact.name:
            return self._called(to, fact.name, fact.source)
        if flow and flow.to.name:
            return flow.to
        name = self._known.rules.domain(fact.ruled, fact.domain)
        if name:
            return self._called(to, name, NameSource.DNS)
        endpoint = self._known.endpoints.in_range(fact.remote)
        return replace(to, endpoint=endpoint, name_source=NameSource.RANGE if endpoint else None)

    def close(self, fact: Close) -> Iterator[Action]:
        """Take the end of a connection."""
        known = self._known
        if flow := known.flows.close(fact.cookie):
            yield known.stream.close(fact, flow.member, flow.to)
        elif member := known.member(fact):
            to = member.session.names.destination(fact.address, fact.port, _TCP)
            yield known.stream.close(fact, member, to)

    def resolved(self, fact: Resolved) -> Iterator[Action]:
        """Take a resolver's answer. What policy makes of it, the kernel has read itself."""
        known = self._known
        if member := known.member(fact):
            endpoint = member.session.names.learn(fact.name, fact.addresses, fact.resolver)
            yield known.stream.resolve(fact, member, endpoint)


def destruction(cookie: int, flow: Flow) -> Iterator[Destroy]:
    """Have an open connection closed of which only the far end is known."""
    to = flow.to
    if to.ip is not None and to.port is not None and to.transport in _ENDED:
        yield Destroy(
            process=flow.member.process,
            cookie=cookie,
            remote=(to.ip, to.port),
            transport=Transport(to.transport),
        )
