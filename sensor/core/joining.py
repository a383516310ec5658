# SPDX-License-Identifier: Apache-2.0
"""Joining: in whose session something is that a broker started, if in anybody's.

A variable that a tool sets for what it starts, or a client that has just asked the
broker: both only among processes of one user. Where several sessions fit, or what fits may be
somebody else's all the same, none is chosen: it is told which they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.brokers import broker_of, unit_of
from sensor.core.event import Evidence
from sensor.core.weights import Sign

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sensor.core.brokers import Broker, Client
    from sensor.core.facts import Exec, Seen
    from sensor.core.knowledge import Knowledge
    from sensor.core.sessions import Session

MARKER, CGROUP, CLIENT, AMBIGUOUS = "marker", "cgroup", "client", "ambiguous"
"""What says who started a process, where that is not ancestry: the words in the stream."""


@dataclass(frozen=True, slots=True)
class Joining:
    """The session that a process joins, None where none fits or several do; and why."""

    session: Session | None = None
    depth: int | None = None
    evidence: tuple[Evidence, ...] = ()


NOBODY = Joining()


def word(evidence: Iterable[Evidence]) -> str | None:
    """Say in the stream's word what the evidence of a lineage rests on."""
    signals = {one.signal for one in evidence}
    for sign, said in (
        (Sign.EITHER, AMBIGUOUS),
        (Sign.MARKER, MARKER),
        (Sign.CGROUP, CGROUP),
        (Sign.CLIENT, CLIENT),
    ):
        if sign.value in signals:
            return said
    return None


@dataclass(frozen=True, slots=True)
class _Asker:
    """A client that may have asked, and what says so."""

    client: Client
    evidence: tuple[Evidence, ...]

    @property
    def session(self) -> Session:
        return self.client.session


def joining(fact: Exec, seen: Seen, known: Knowledge) -> Joining:
    """Find the session of what a broker started; ``seen`` is what a look at it showed."""
    starter = seen.ancestors[0] if seen.ancestors else None
    broker = broker_of(starter.exe) if starter else None
    if starter is None or broker is None:
        return NOBODY
    found = _fitting(fact, seen, list(_askers(fact, broker, known)), known)
    if found.session is None:
        return found
    is_the_users = broker.gives_away or starter.uid == fact.uid
    is_marked = any(one.signal == Sign.MARKER.value for one in found.evidence)
    if is_the_users and (broker.client_tells or is_marked):
        return found
    return _either([found.session], found.evidence)


def _fitting(fact: Exec, seen: Seen, askers: Sequence[_Asker], known: Knowledge) -> Joining:
    """Find the session that marks and clients speak for, if they are to be believed."""
    marks = known.identifier.marked(seen.variables)
    tools = dict.fromkeys(tool for tool, _ in marks)
    marked = [sessions for tool in tools if (sessions := _of_tool(known, tool, fact.uid))]
    if not marked:
        return _by_askers(askers, ())
    evidence = tuple(Evidence(Sign.MARKER.value, f"{tool} {name}") for tool, name in marks)
    # Who asked is in a session of each tool whose mark it left.
    inside = [one for one in askers if all(_is_within(one.session, some) for some in marked)]
    if inside:
        return _by_askers(inside, evidence)
    # One of a tool's that lie in each other: in the outermost it is either way.
    homes = [home for sessions in marked if (home := _outermost(sessions))]
    inner = _innermost(homes) if len(homes) == len(marked) else None
    if inner is None:
        return _either([one for sessions in marked for one in sessions], evidence)
    return Joining(inner, None, evidence)


def _askers(fact: Exec, broker: Broker, known: Knowledge) -> Iterator[_Asker]:
    """Yield the clients that may have asked; where units have names, one of theirs is needed."""
    cgroup = None if fact.cgroup_id is None else known.host.cgroup(fact.cgroup_id)
    for client in known.clients.of(broker, fact.uid, fact.process.started_ns):
        was_there = Evidence(Sign.CLIENT.value, f"{broker.name} {client.pid}")
        if not broker.names_units:
            yield _Asker(client, (was_there,))
        elif unit := unit_of(cgroup, client):
            yield _Asker(client, (was_there, Evidence(Sign.CGROUP.value, unit)))


def _of_tool(known: Knowledge, tool: str, uid: int) -> list[Session]:
    """Give the sessions of a user's runs of a tool."""
    return [
        one
        for one in known.sessions.running()
        if one.tool.id == tool and one.view and one.view.uid == uid
    ]


def _by_askers(askers: Sequence[_Asker], evidence: tuple[Evidence, ...]) -> Joining:
    if not askers:
        return NOBODY
    sessions = [one.session for one in askers]
    home = _outermost(sessions)
    if home is None:
        return _either(sessions, evidence)
    first = askers[sessions.index(home)]
    return Joining(home, first.client.depth, (*evidence, *first.evidence))


def _either(sessions: Iterable[Session], evidence: tuple[Evidence, ...]) -> Joining:
    ids = sorted({one.id for one in sessions})
    return Joining(None, None, (*evidence, *(Evidence(Sign.EITHER.value, one) for one in ids)))


def _is_within(session: Session, some: Sequence[Session]) -> bool:
    return any(one in some for one in session.around())


def _outermost(sessions: Sequence[Session]) -> Session | None:
    """Give the session that all others run within; None where they lie side by side."""
    return next((one for one in sessions if all(one in s.around() for s in sessions)), None)


def _innermost(sessions: Sequence[Session]) -> Session | None:
    """Give the session that runs within all others; None where they lie side by side."""
    return next((one for one in sessions if set(sessions) <= set(one.around())), None)
