# SPDX-License-Identifier: Apache-2.0
"""Reaching: what connections, their ends, names and resolvers' answers call for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sensor.core.actions import Destroy
from sensor.core.event import Destination, NameSource
from sensor.core.facts import Transport
from sensor.core.flows import Flow, Said
from sensor.core.judgment import ALLOWED, Judgment, is_canary
from sensor.core.views import outsider
from sensor.core.words import Enforcement, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.actions import Action, Record
    from sensor.core.facts import Close, Connect, Hello, Resolved
    from sensor.core.knowledge import Knowledge

_TCP = Transport.TCP.value


class Reaching:
    """Names the far end of each connection, and tells what policy said of it."""

    def __init__(self, known: Knowledge) -> None:
        self._known = known

    def connect(self, fact: Connect) -> Iterator[Action]:
        """Take a new connection, or one that was refused."""
        known = self._known
        if is_canary(fact.ruled) or (fact.late and fact.cookie in known.flows):
            return  # of the latter, a record of the kernel was first
        said = known.rules.said(fact.ruled)
        member = known.lineage.member(fact.process) or known.newcomer(fact)
        if member is None:
            known.miss(fact)
            if said and said.verdict is not Verdict.ALLOW:
                yield from self._told(self._stranger(fact, said))
            return
        names, judged = member.session.names, said or ALLOWED
        name = names.destination if judged.is_refused else names.reach
        to = self._named(name(fact.address, fact.port, fact.transport.value), fact)
        flow = Flow(member, to)
        if fact.transport is Transport.TCP and not judged.is_refused:  # of others, no close is told
            flow = known.flows.open(fact.cookie, flow)
        if fact.late:
            judged = self.judged(flow, fact.at_ns) or judged
        yield from self._told(known.stream.connect(fact, member, flow.to, judged))
        if judged.enforcement is Enforcement.DESTROY:
            yield from destruction(fact.cookie, flow)

    def _named(self, to: Destination, fact: Connect) -> Destination:
        """Name a far end by what policy judged it by, where its session never asked for a name."""
        if to.name:
            return to
        name = self._known.rules.domain(fact.ruled, fact.domain)
        return self._called(to, name, NameSource.DNS) if name else to

    def _called(self, to: Destination, name: str, source: NameSource | None) -> Destination:
        endpoint = self._known.endpoints.of_name(name) or to.endpoint
        return replace(to, name=name, name_source=source, endpoint=endpoint)

    def _stranger(self, fact: Connect, said: Judgment) -> Record:
        to = self._named(self._address(fact), fact)
        return self._outside(fact, to, said)

    def _address(self, fact: Connect) -> Destination:
        endpoint = self._known.endpoints.in_range(fact.address)
        return Destination(
            ip=fact.address,
            port=fact.port,
            transport=fact.transport.value,
            name_source=NameSource.RANGE if endpoint else None,
            endpoint=endpoint,
        )

    def _outside(self, fact: Connect | Hello, to: Destination, said: Judgment) -> Record:
        known = self._known
        identity = known.identifier.identify(fact.image) if fact.image else None
        view = outsider(known.host, fact, identity)
        return known.stream.stranger(fact, view, to, said)

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
        said, _ = enforced.judge(self._known.reach(flow, enforced), self._known.wall_ns(at_ns))
        if said.verdict is not Verdict.BLOCK:
            return None
        return replace(said, enforcement=Enforcement.DESTROY)

    def hello(self, fact: Hello) -> Iterator[Action]:
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
            yield from self._told(self._outside(fact, to, judged))
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
    if to.ip is not None and to.port is not None:
        yield Destroy(process=flow.member.process, cookie=cookie, remote=(to.ip, to.port))
