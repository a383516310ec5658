# SPDX-License-Identifier: Apache-2.0
"""The stream: numbered, dated events out of facts and what is known around them.

Who decides that something is an event is the engine; here it gets its words.
An attempt (exec, connect) has a verdict, what merely happened has none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict

from sensor.core.actions import Record
from sensor.core.event import Destination, Event, Kind, ProcessView, Traffic
from sensor.core.facts import Connect
from sensor.core.knownby import contact, joined, known
from sensor.core.outcome import outcome_of
from sensor.core.views import as_user, image
from sensor.core.words import UNKNOWN_CLIENT

if TYPE_CHECKING:
    from sensor.core.event import Evidence
    from sensor.core.facts import Close, Exec, Exit, Hello, Resolved
    from sensor.core.host import Host
    from sensor.core.identity import Identity
    from sensor.core.judgment import Judgment
    from sensor.core.lineage import Member
    from sensor.core.numbering import Numbering
    from sensor.core.sessions import Session
    from sensor.core.words import Enforcement, Verdict


class _Owner(TypedDict):
    tool: str
    vendor: str
    session: str


class _Place(_Owner):
    depth: int | None
    lineage: str | None


class _Verdict(TypedDict):
    verdict: Verdict
    enforcement: Enforcement
    rule: str | None
    reason: str | None


class Stream:
    """Writes the events about processes, sessions and connections."""

    def __init__(self, host: Host, numbering: Numbering) -> None:
        self._host = host
        self._numbering = numbering

    def exec(self, fact: Exec, member: Member, identity: Identity, said: Judgment) -> Record:
        """Tell of a new image; only the tool itself is shown with what identified it."""
        why = known(identity if member.depth == 0 else None)
        if member.lineage and member.depth != 0:
            why = joined(identity)
        why["lineage"] = why["lineage"] or member.lineage
        return Record(
            Event(
                **self._numbering.head(fact.at_ns),
                **_owner(member.session),
                **_verdict(said),
                kind=Kind.EXEC,
                **why,
                depth=member.depth,
                late=fact.late,
                process=member.view(),
                parent=fact.parent,
            )
        )

    def undecided(self, fact: Exec, identity: Identity, said: Judgment) -> Record:
        """Tell of a new image in no session, because it may be in any of several."""
        return Record(
            Event(
                **self._numbering.head(fact.at_ns),
                **_verdict(said),
                kind=Kind.EXEC,
                **joined(identity),
                process=image(self._host, fact, identity),
                parent=fact.parent,
            )
        )

    def refused(
        self,
        fact: Exec,
        identity: Identity,
        said: Judgment,
        around: tuple[Session | None, int | None],
    ) -> Record:
        """Tell of an image that never ran its first instruction, and in whose session that was.

        The tool is the one that was refused. ``around`` is the session, and the
        depth that the image would have had in it.
        """
        tool, (session, depth) = identity.tool, around
        return Record(
            Event(
                **self._numbering.head(fact.at_ns),
                **_verdict(said),
                kind=Kind.EXEC,
                tool=tool.id if tool else None,
                vendor=tool.vendor if tool else None,
                session=session.id if session else None,
                **known(identity if tool else None),
                depth=depth,
                process=image(self._host, fact, identity),
                parent=fact.parent,
            )
        )

    def ran_already(self, at_ns: int, member: Member, said: Judgment) -> Record:
        """Tell that a process is refused that has been running for some time."""
        return Record(
            Event(
                **self._numbering.head(at_ns),
                **_place(member),
                **_verdict(said),
                kind=Kind.EXEC,
                late=True,
                process=member.view(),
            )
        )

    def exit(self, fact: Exit, member: Member) -> Record:
        """Tell of the end of a process and how long it lived."""
        return Record(
            Event(
                **self._numbering.head(fact.at_ns),
                **_place(member),
                kind=Kind.EXIT,
                process=replace(member.view(), status=fact.status),
                duration_ns=fact.at_ns - fact.process.started_ns,
            )
        )

    def started(self, fact: Exec, session: Session) -> Record:
        """Tell of a new session, and what its tool was known by."""
        return Record(
            Event(
                **self._numbering.head(fact.at_ns),
                **_owner(session),
                kind=Kind.SESSION_START,
                **known(session.identity),
                parent_session=session.parent.id if session.parent else None,
                late=fact.late,
                process=session.view,
                parent=fact.parent,
            )
        )

    def ended(self, at_ns: int, session: Session) -> Record:
        """Tell of the end of a session, with its sum."""
        return Record(
            Event(
                **self._numbering.head(at_ns),
                **_owner(session),
                kind=Kind.SESSION_END,
                parent_session=session.parent.id if session.parent else None,
                process=session.view,
                duration_ns=at_ns - session.started_ns,
                processes=session.processes,
                hosts=session.names.hosts,
            )
        )

    def connect(
        self, fact: Connect | Hello, member: Member, to: Destination, said: Judgment
    ) -> Record:
        """Tell of an attempt to reach a destination; the user may have changed since the exec."""
        view = member.view()
        late = isinstance(fact, Connect) and fact.late
        if not late:  # /proc does not tell who opened a socket
            view = as_user(self._host, view, fact.uid)
        return Record(
            Event(
                **self._numbering.head(fact.at_ns),
                **_place(member),
                **_verdict(said),
                kind=Kind.CONNECT,
                late=late,
                process=view,
                destination=to,
            )
        )

    def open_already(self, at_ns: int, member: Member, to: Destination, said: Judgment) -> Record:
        """Tell that a connection is refused that has been open for some time."""
        return Record(
            Event(
                **self._numbering.head(at_ns),
                **_place(member),
                **_verdict(said),
                kind=Kind.CONNECT,
                late=True,
                process=member.view(),
                destination=to,
            )
        )

    def stranger(  # noqa: PLR0917  # no session holds these together for a stranger
        self, fact: Connect | Hello, view: ProcessView | None, to: Destination, said: Judgment,
        identity: Identity | None = None, runner: Evidence | None = None,
    ) -> Record:  # fmt: skip
        """Tell of an attempt by a process of no session; of some, nothing is known."""
        tool = identity.tool if identity and to.endpoint else None
        return Record(
            Event(
                **self._numbering.head(fact.at_ns),
                **_verdict(said),
                **contact(identity, to.endpoint, runner),
                kind=Kind.CONNECT,
                tool=tool.id if tool else UNKNOWN_CLIENT if to.endpoint else None,
                vendor=tool.vendor if tool else None,
                process=view,
                destination=to,
            )
        )

    def close(self, fact: Close, member: Member, to: Destination) -> Record:
        """Tell of the end of a connection and what went over it."""
        traffic = Traffic(
            sent_bytes=fact.sent_bytes,
            received_bytes=fact.received_bytes,
            duration_ns=fact.at_ns - fact.opened_ns,
            outcome=outcome_of(fact),
        )
        return Record(
            Event(
                **self._numbering.head(fact.at_ns),
                **_place(member),
                kind=Kind.CLOSE,
                process=member.view(),
                destination=to,
                traffic=traffic,
            )
        )

    def resolve(self, fact: Resolved, member: Member, endpoint: str | None) -> Record:
        """Tell of a resolver's answer."""
        asked = Destination(
            ip=fact.resolver,
            port=None,
            transport=None,
            name=fact.name,
            endpoint=endpoint,
            addresses=fact.addresses,
            rcode=fact.rcode,
            cut=fact.cut,
        )
        return Record(
            Event(
                **self._numbering.head(fact.at_ns),
                **_place(member),
                kind=Kind.RESOLVE,
                process=member.view(),
                destination=asked,
            )
        )


def _owner(session: Session) -> _Owner:
    return {"tool": session.tool.id, "vendor": session.tool.vendor, "session": session.id}


def _place(member: Member) -> _Place:
    return {**_owner(member.session), "depth": member.depth, "lineage": member.lineage}


def _verdict(said: Judgment) -> _Verdict:
    return {
        "verdict": said.verdict,
        "enforcement": said.enforcement,
        "rule": said.rule,
        "reason": said.reason,
    }
