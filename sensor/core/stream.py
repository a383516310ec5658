# SPDX-License-Identifier: Apache-2.0
"""The stream: numbered, dated events out of facts and what is known around them.

Who decides that something is an event is the engine; here it gets its words.
An attempt (exec, connect) has a verdict, what merely happened has none. As
nothing but the defaults judges yet, a tool that starts is an ``ALERT`` and all
that a session then does an ``ALLOW``, both by the rule ``default``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict, assert_never

from sensor.core.actions import Record
from sensor.core.event import Destination, Event, Kind, Lack, ProcessView, Traffic, Verdict
from sensor.core.facts import Damaged, Gap, Loss
from sensor.core.outcome import outcome_of
from sensor.core.wall import rfc3339

if TYPE_CHECKING:
    from sensor.core.facts import Close, Connect, Exec, Exit, Found, Resolved
    from sensor.core.host import Host
    from sensor.core.identity import Identity
    from sensor.core.lineage import Member
    from sensor.core.sessions import Session

VERSION = 1
"""Of the table of names in docs/events.md."""

DEFAULT_RULE = "default"
"""The rule of what no rule names."""


class _Head(TypedDict):
    v: int
    seq: int
    boot_id: str
    host: str
    at: str
    at_ns: int


class _Owner(TypedDict):
    tool: str
    vendor: str
    session: str


class Stream:
    """Writes the events of one run of the sensor; ``seq`` counts them from ``first_seq``."""

    def __init__(self, host: Host, first_seq: int) -> None:
        self._host = host
        self._seq = first_seq - 1

    def image(self, fact: Exec, identity: Identity) -> ProcessView:
        """Show a process as its exec left it."""
        return ProcessView(
            pid=fact.process.pid,
            started_ns=fact.process.started_ns,
            ppid=fact.parent.pid,
            exe=fact.exe,
            script=identity.script,
            interpreter=fact.interpreter,
            name_typed=fact.name_typed,
            argv=fact.argv,
            cwd=fact.cwd,
            uid=fact.uid,
            user=self._host.user(fact.uid),
            loginuid=fact.loginuid,
            tty=fact.tty,
            cgroup=None if fact.cgroup_id is None else self._host.cgroup(fact.cgroup_id),
            cgroup_id=fact.cgroup_id,
            dev=fact.file.dev,
            ino=fact.file.ino,
            fileless=fact.fileless,
            truncated=fact.truncated,
        )

    def exec(self, fact: Exec, member: Member, identity: Identity) -> Record:
        """Tell of a new image; only the tool itself is shown with what identified it."""
        is_tool = member.depth == 0
        return Record(
            Event(
                **self._head(fact.at_ns),
                **_owner(member.session),
                kind=Kind.EXEC,
                verdict=Verdict.ALERT if is_tool else Verdict.ALLOW,
                rule=DEFAULT_RULE,
                confidence=identity.confidence if is_tool else None,
                evidence=identity.evidence if is_tool else (),
                depth=member.depth,
                late=fact.late,
                process=member.view(),
                parent=fact.parent,
            )
        )

    def exit(self, fact: Exit, member: Member) -> Record:
        """Tell of the end of a process and how long it lived."""
        return Record(
            Event(
                **self._head(fact.at_ns),
                **_owner(member.session),
                kind=Kind.EXIT,
                depth=member.depth,
                process=replace(member.view(), status=fact.status),
                duration_ns=fact.at_ns - fact.process.started_ns,
            )
        )

    def started(self, fact: Exec, session: Session) -> Record:
        """Tell of a new session, and what its tool was known by."""
        return Record(
            Event(
                **self._head(fact.at_ns),
                **_owner(session),
                kind=Kind.SESSION_START,
                confidence=session.identity.confidence,
                evidence=session.identity.evidence,
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
                **self._head(at_ns),
                **_owner(session),
                kind=Kind.SESSION_END,
                parent_session=session.parent.id if session.parent else None,
                process=session.view,
                duration_ns=at_ns - session.started_ns,
                processes=session.processes,
                hosts=session.names.hosts,
            )
        )

    def connect(self, fact: Connect, member: Member, to: Destination) -> Record:
        """Tell of an attempt to reach a destination; the user may have changed since the exec."""
        view = member.view()
        if view.uid != fact.uid and not fact.late:  # /proc does not tell who opened a socket
            view = replace(view, uid=fact.uid, user=self._host.user(fact.uid))
        return Record(
            Event(
                **self._head(fact.at_ns),
                **_owner(member.session),
                kind=Kind.CONNECT,
                verdict=Verdict.ALLOW,
                rule=DEFAULT_RULE,
                depth=member.depth,
                late=fact.late,
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
                **self._head(fact.at_ns),
                **_owner(member.session),
                kind=Kind.CLOSE,
                depth=member.depth,
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
                **self._head(fact.at_ns),
                **_owner(member.session),
                kind=Kind.RESOLVE,
                depth=member.depth,
                process=member.view(),
                destination=asked,
            )
        )

    def missing(self, fact: Loss | Damaged | Gap) -> Record:
        """Tell that something is missing from the stream: records, one of them, or a time."""
        head = self._head(fact.at_ns)
        match fact:
            case Loss():
                return Record(Event(**head, kind=Kind.LOSS, loss=(fact.what, fact.count)))
            case Damaged():
                return Record(Event(**head, kind=Kind.LOSS, loss=("record", 1), reason=fact.why))
            case Gap():
                lack = Lack(rfc3339(fact.from_wall_ns), head["at"], *(fact.seqs or ()))
                return Record(Event(**head, kind=Kind.GAP, gap=lack, reason=fact.why))
            case _:
                assert_never(fact)

    def found(self, fact: Found) -> Record:
        """Tell of what an audit found."""
        return Record(
            Event(
                **self._head(fact.at_ns),
                kind=Kind.INVENTORY,
                tool=fact.tool,
                vendor=fact.vendor,
                inventory=fact.inventory,
            )
        )

    def _head(self, at_ns: int) -> _Head:
        self._seq += 1
        return {
            "v": VERSION,
            "seq": self._seq,
            "boot_id": self._host.boot_id,
            "host": self._host.name,
            "at": rfc3339(at_ns + self._host.wall_offset_ns),
            "at_ns": at_ns,
        }


def _owner(session: Session) -> _Owner:
    return {"tool": session.tool.id, "vendor": session.tool.vendor, "session": session.id}
