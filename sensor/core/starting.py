# SPDX-License-Identifier: Apache-2.0
"""Starting and ending: what executions, forks and exits call for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sensor.core.actions import Follow, Release
from sensor.core.facts import LOOKED_INTO
from sensor.core.joining import AMBIGUOUS, joining, word
from sensor.core.judgment import (
    ALLOWED,
    DEFAULT_RULE,
    LEFT_ALONE,
    RAN_ALREADY,
    TOOL_STARTS,
    Judgment,
    is_canary,
    too_late,
)
from sensor.core.knowledge import unseen
from sensor.core.lineage import Member
from sensor.core.names import Names
from sensor.core.sessions import Session, chained, session_id
from sensor.core.views import image
from sensor.core.words import Enforcement, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.actions import Action
    from sensor.core.facts import Exec, Exit, Fork, Seen
    from sensor.core.identity import Identity
    from sensor.core.knowledge import Knowledge
    from sensor.core.tools import Tool


class Starting:
    """Finds the session of each process that starts, and what policy has to say of it."""

    def __init__(self, known: Knowledge) -> None:
        self._known = known
        self._doubtful: Exec | None = None

    def wants_look(self, fact: Exec) -> bool:
        """Tell whether it takes a look to know an image: it may be a tool, in no session yet.

        One that ran before the sensor is looked at only where it is not known without.
        """
        known = self._known
        said = known.rules.said(fact.ruled)
        if is_canary(fact.ruled) or fact.refused or (said and said.is_refused):
            return False
        if fact.late and known.lineage.is_stranger(fact.process):
            return False
        if self._home(fact)[0] is not None:
            return False
        identity = known.identifier.identify(fact)
        return fact.brokered or (bool(identity.evidence) and not (fact.late and identity.tool))

    def is_unsure(self, fact: Exec) -> bool:
        """Tell whether an image within a session may be a tool for all that is known."""
        if self._doubtful is not fact or fact.root == fact.process or fact.late:
            return False
        return self._known.lineage.member(fact.process) is not None

    def second_look(self, fact: Exec, seen: Seen) -> Iterator[Action]:
        """Take what a look showed of an image within a session that still runs."""
        identity = self._known.identifier.identify(fact, seen)
        if identity.tool and self._known.lineage.member(fact.process):
            yield from self.found(fact, identity, identity.tool)

    def exec(self, fact: Exec, seen: Seen | None = None) -> Iterator[Action]:
        """Take a new image, or one that was refused; ``seen`` is what a look at it showed."""
        if is_canary(fact.ruled):
            return
        said = self._known.rules.said(fact.ruled)
        if fact.refused or (said and said.is_refused):
            yield from self._refused(fact, said)
            return
        lineage = self._known.lineage
        before = lineage.member(fact.process)
        if fact.late and self._is_known(fact, before):
            return  # a record of the kernel was first
        identity = self._known.identifier.identify(fact, seen)
        self._doubtful = fact if identity.evidence and identity.tool is None else None
        home, depth = self._home(fact)
        via = before.lineage if before else None
        if home is None and fact.brokered and seen:
            joins = joining(fact, seen, self._known)
            home, depth = joins.session, joins.depth
            identity = replace(identity, lineage=joins.evidence or identity.lineage)
            via = word(joins.evidence) if home else None
        session = self._session(fact, identity, home)
        if session is None:
            if word(identity.lineage) == AMBIGUOUS:
                yield self._known.stream.undecided(fact, identity, ALLOWED)
            if not fact.late and fact.root.pid:  # else the kernel does not follow it
                lineage.reject(fact.process)
                yield Release(fact.process)
            return
        member = Member(
            process=fact.process,
            ppid=fact.parent.pid,
            session=session,
            depth=0 if identity.tool else depth,
            image=image(self._known.host, fact, identity),
            recorded=True,
            lineage=via,
            found_ns=fact.at_ns if fact.late else None,
        )
        yield from self._joined(fact, member, before, identity, said)

    def found(self, fact: Exec, identity: Identity, tool: Tool) -> Iterator[Action]:
        """Take a process that runs already for a tool, now that it is known to be one."""
        known = self._known
        before = known.lineage.member(fact.process)
        member = Member(
            process=fact.process,
            ppid=fact.parent.pid,
            session=self._begun(fact, identity, tool, self._home(fact)[0]),
            depth=0,
            image=image(known.host, fact, identity),
            recorded=True,
        )
        yield from self._joined(fact, member, before, identity, None)

    def _is_known(self, fact: Exec, before: Member | None) -> bool:
        """Tell whether a late fact says nothing new; what is inside the file may be."""
        if fact.signals & LOOKED_INTO:
            tool = self._known.catalogue.by_index(fact.tool)
            return before is not None and before.session.tool is tool
        return bool(before) or self._known.lineage.is_stranger(fact.process)

    def _joined(
        self,
        fact: Exec,
        member: Member,
        before: Member | None,
        identity: Identity,
        said: Judgment | None,
    ) -> Iterator[Action]:
        """Take a member into its session, which may begin with it, and do what policy says."""
        known, session = self._known, member.session
        was_released = known.lineage.is_stranger(fact.process)
        is_new = session.is_new
        if is_new:
            known.sessions.start(session, member.view())
        known.admit(member, before)
        known.clients.note(fact, member)
        if before and before.session is not session:
            yield from known.leave(before.session, fact.at_ns)
        # A release can overtake the exec that makes a tool of the process after all.
        must_follow = fact.late or was_released or (is_new and fact.root != session.root)
        if must_follow or fact.tools not in {None, session.chain}:
            yield follow(member)
        if is_new:
            yield known.stream.started(fact, session)
        judged = self._judged(fact, member, identity, said, is_new=is_new)
        is_ended = judged.is_refused  # by us: what the kernel refused did not get here
        if is_ended or not (fact.late and session.was_resumed):  # else the run before told of it
            record = known.stream.exec(fact, member, identity, judged)
            yield record
            if is_ended:
                yield from known.notices.of(record.event)
        if is_ended:
            yield known.kill(fact.process, record.event)

    def _judged(
        self,
        fact: Exec,
        member: Member,
        identity: Identity,
        said: Judgment | None,
        *,
        is_new: bool,
    ) -> Judgment:
        """Say what policy makes of an image: as the kernel said, or of what only we recognise."""
        session, enforced = member.session, self._known.rules.in_force
        if doom := session.doomed():
            # It was started while its session was being ended.
            return too_late(doom) if fact.over else doom
        if identity.tool is None or enforced is None:
            return said or (TOOL_STARTS if identity.tool else ALLOWED)
        attempt = self._known.execution(
            identity.tool.id, fact.process, member.view(), identity.risk
        )
        judged, kills = enforced.judge(attempt, self._known.wall_ns(fact.at_ns))
        is_risky = enforced.minds_risk(attempt, self._known.wall_ns(fact.at_ns))
        if said and not is_risky:
            return said
        if judged.verdict is not Verdict.BLOCK:
            return judged
        if not (kills or fact.unsure or (is_risky and not fact.late)):
            silent = LEFT_ALONE if judged.rule == DEFAULT_RULE else RAN_ALREADY
            left = replace(judged, reason=judged.reason or silent)
            return too_late(judged) if fact.over else left
        ended = replace(judged, enforcement=Enforcement.KILL)
        if kills or is_new:
            session.doom = ended  # what it has forked by then ends with it, or for it
        return too_late(ended) if fact.over else ended

    def _refused(self, fact: Exec, said: Judgment | None) -> Iterator[Action]:
        """Tell of an image that did not run. The process that wanted it is what it was, or ends."""
        known = self._known
        found = known.identifier.identify(fact)
        tool = known.catalogue.by_index(fact.tool) or found.tool
        if tool is not found.tool:  # the kernel took the first mark that it met
            found = replace(found, tool=tool, confidence=0.0, evidence=())
        home, depth = self._home(fact)
        judged = said or Judgment(
            verdict=Verdict.BLOCK,
            rule=None,
            enforcement=Enforcement.LSM,
            reason="the record does not say by which rule",
        )
        record = known.stream.refused(fact, found, judged, (home, depth))
        yield record
        yield from known.notices.of(record.event)

    def _home(self, fact: Exec) -> tuple[Session | None, int | None]:
        """Return the session around a new image, and the depth of an ordinary program there."""
        known = self._known
        if known.lineage.member(fact.process) is None and (
            begun := known.sessions.of_root(fact.process)
        ):
            return begun, None  # also where its parent is in the session around that one
        return known.lineage.around(fact) or (known.sessions.of_root(fact.root), None)

    def _session(self, fact: Exec, identity: Identity, home: Session | None) -> Session | None:
        """Return the session that a new image is part of; None if it is no one's."""
        tool = identity.tool
        if tool is None:
            return home
        if home and (session := home.resumed(tool, fact.process)):
            return session
        return self._begun(fact, identity, tool, home)

    def _begun(self, fact: Exec, identity: Identity, tool: Tool, home: Session | None) -> Session:
        """Return the session that begins with an image."""
        known = self._known
        return Session(
            id=session_id(known.host.boot_id, fact.process, tool),
            tool=tool,
            identity=identity,
            root=fact.process,
            started_ns=fact.process.started_ns if fact.late else fact.at_ns,
            names=Names(known.endpoints),
            # Also where it is not within a session: the kernel asks all tools around it.
            chain=chained(home.chain if home else (), (known.catalogue.index_of(tool.id),)),
            parent=home if home and home.may_nest() else None,
        )

    def fork(self, fact: Fork) -> Iterator[Action]:
        """Take a child into the session of its parent."""
        known = self._known
        if known.lineage.is_child(fact):
            return
        if parent := known.lineage.member(fact.parent):
            member = parent.child(fact.process)
        elif known.lineage.is_stranger(fact.parent):
            known.lineage.reject(fact.process)
            yield Release(fact.process)
            return
        elif session := known.sessions.of_root(fact.root):
            member = unseen(fact.process, session, ppid=fact.parent.pid)
        else:
            return
        known.admit(member)
        if fact.tools not in {None, member.session.chain}:
            yield follow(member)
        if doom := member.session.doomed():
            said = too_late(doom) if fact.over else doom
            record = known.stream.ran_already(fact.at_ns, member, said)
            yield record
            if said.is_refused:
                yield known.kill(fact.process, record.event)

    def exit(self, fact: Exit) -> Iterator[Action]:
        """Take a process out of its session."""
        self._known.clients.end(fact.process, fact.at_ns)
        yield from self._known.put_right(fact)
        member = self._known.lineage.end(fact.process)
        if member is None:
            return
        if member.recorded:
            yield self._known.stream.exit(fact, member)
        yield from self._known.leave(member.session, fact.at_ns)


def follow(member: Member) -> Follow:
    """Have a process followed as what it is to its session."""
    session = member.session
    exe = session.view.exe if session.view else None
    return Follow(member.process, session.root, session.chain, exe)
