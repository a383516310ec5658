# SPDX-License-Identifier: Apache-2.0
"""The engine: decides what each fact calls for.

Facts come in the order in which the kernel saw them, as far as one ring tells
it, and what they call for leaves in that order. The engine is the only place
that knows sessions: the kernel follows what looks like a tool, the engine finds
out whether it is one and has the kernel forget what is not. What the kernel
recognises it judges by itself, from the same policy that the engine asks about
all else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from sensor.core import already
from sensor.core.actions import Release, Search
from sensor.core.bulletin import changed, told
from sensor.core.cordon import cordon
from sensor.core.facts import (
    Close,
    Connect,
    Damaged,
    Exec,
    Exit,
    Fork,
    Found,
    Gap,
    Health,
    Hello,
    Loss,
    PolicyChanged,
    Process,
    Resolved,
    Seen,
    Standing,
    Undone,
)
from sensor.core.identity import Identity
from sensor.core.knowledge import Knowledge
from sensor.core.lineage import MEMBERS
from sensor.core.looking import Waiting, look
from sensor.core.names import Names
from sensor.core.reaching import Reaching
from sensor.core.sessions import Session
from sensor.core.starting import Starting, follow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sensor.core.actions import Action, Follow
    from sensor.core.catalogue import Catalogue
    from sensor.core.enforced import Enforced
    from sensor.core.event import Event
    from sensor.core.facts import Fact
    from sensor.core.former import Former
    from sensor.core.host import Host


class Engine:
    """Decides what each fact calls for.

    It keeps no clock of its own: time is whatever the last fact said it was.
    What it remembers is bounded by ``limit`` processes and the sessions they
    are in. Not every order of facts can happen, but every one is survived. Where
    it ``looks``, somebody answers each ``Look`` with a ``Seen``.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        host: Host,
        *,
        limit: int = MEMBERS,
        first_seq: int = 1,
        looks: bool = False,
    ) -> None:
        self._looks = looks
        self._waiting = Waiting()
        self._known = Knowledge(catalogue, host, limit=limit, first_seq=first_seq)
        self._starting = Starting(self._known)
        self._reaching = Reaching(self._known)

    @property
    def members(self) -> int:
        """Count the processes that belong to a session."""
        return len(self._known.lineage)

    @property
    def sessions(self) -> int:
        """Count the sessions that are running."""
        return len(self._known.sessions)

    def runs(self, session: str) -> bool:
        """Tell whether a session of this id is running."""
        return any(one.id == session for one in self._known.sessions.running())

    def processes(self) -> tuple[Process, ...]:
        """Name the processes that belong to a session."""
        return self._known.lineage.processes()

    def has(self, process: Process) -> bool:
        """Tell whether a process belongs to a session."""
        return self._known.lineage.member(process) is not None

    def waits(self, process: Process) -> bool:
        """Tell whether a look is to show what a process is."""
        return process in self._waiting

    def roots(self) -> tuple[Process, ...]:
        """Name the processes that running sessions began with."""
        return self._known.sessions.roots()

    def follow(self, processes: Iterable[Process]) -> Iterator[Follow]:
        """Have processes followed for which the kernel had no room when they began."""
        for process in processes:
            if member := self._known.lineage.member(process):
                yield follow(member)

    def dismiss(self, process: Process) -> Iterator[Action]:
        """Have a process followed no more that is no session's, unless it becomes a tool."""
        if not self.has(process) and not self.waits(process):
            self._known.lineage.reject(process)
            yield Release(process)

    def see(self, fact: Fact) -> Iterator[Action]:
        """Take a fact; yield what it calls for. Each iterator is to be used up before the next."""
        while (process := self._waiting.overdue(fact.at_ns)) is not None:
            yield from self._seen(Seen(at_ns=fact.at_ns, process=process, no_look=True))
        if self._waiting.hold(fact):
            return
        yield from self._take(fact)

    def _take(self, fact: Fact) -> Iterator[Action]:
        match fact:
            case Seen():
                yield from self._seen(fact)
            case Exec():
                yield from self._exec(fact)
            case Connect() | Hello():
                yield from self._contact(fact)
            case Close():
                yield from self._reaching.close(fact)
            case Fork():
                yield from self._starting.fork(fact)
            case Exit():
                yield from self._starting.exit(fact)
            case Resolved():
                yield from self._reaching.resolved(fact)
            case Loss() | Damaged() | Gap() | PolicyChanged() | Health() | Found():
                yield told(fact, self._known.numbering)
            case Undone():
                yield from self._known.put_right(fact)
            case _:
                assert_never(fact)
        yield from self._known.account(fact.at_ns)

    def _exec(self, fact: Exec) -> Iterator[Action]:
        """Take an image, or have it looked at first where that can make a difference."""
        if self._looks and self._starting.wants_look(fact) and self._waiting.begin(fact):
            yield look(fact, self._known.identifier)
        else:
            yield from self._starting.exec(fact)
            # Within a session nothing waits: it is told again if it turns out to be a tool.
            if self._looks and self._starting.is_unsure(fact) and self._waiting.begin(fact):
                yield look(fact, self._known.identifier)
        is_new = fact.unsearched or fact.unseen
        if is_new and not (fact.late and self._known.lineage.member(fact.process)):
            yield Search(fact)

    def _seen(self, fact: Seen) -> Iterator[Action]:
        """Take what a look showed: the image that waits for it, and what came after."""
        for number, waited in enumerate(self._waiting.end(fact.process)):
            if number == 0 and isinstance(waited, Exec):
                if waited.root == waited.process:
                    yield from self._starting.exec(waited, fact)
                else:
                    yield from self._starting.second_look(waited, fact)
            elif isinstance(waited, Connect | Hello) and not waited.root.pid:
                yield from self._contact(waited, fact)
            else:
                yield from self.see(waited)

    def _contact(self, fact: Connect | Hello, seen: Seen | None = None) -> Iterator[Action]:
        """Take what somebody reaches; one in no session is looked at first."""
        image = self._reaching.stranger(fact) if self._looks and seen is None else None
        if image and self._waiting.begin(fact):
            yield look(image, self._known.identifier)
            return
        if isinstance(fact, Connect):
            yield from self._reaching.connect(fact, seen)
        else:
            yield from self._reaching.hello(fact, seen)
        if seen and (found := self._reaching.recognised(fact, seen)):
            yield from self._starting.found(*found)

    def policy(
        self, enforced: Enforced | None, *, at_ns: int, why: str | None = None
    ) -> Iterator[Action]:
        """Go by a policy that the kernel keeps from now on, or by none; tell, and judge what runs.

        That another one was refused and this one stays is for the caller to
        tell, as a ``PolicyChanged``. ``why`` is what became of which blocks.
        """
        self._known.rules.enter(enforced)
        standing = Standing.IN_FORCE if enforced else Standing.REMOVED
        yield told(changed(enforced, standing, at_ns, why=why), self._known.numbering)
        yield from already.there(self._known, self._reaching, at_ns)

    def remember(self, former: Former) -> None:
        """Know what the kernel has said by the policy of a run before."""
        self._known.rules.remember(former)

    def judge(self, *, at_ns: int) -> Iterator[Action]:
        """Judge what runs and is open once more: what let it has ended."""
        yield from already.there(self._known, self._reaching, at_ns)

    def learn(self, catalogue: Catalogue) -> None:
        """Go by another catalogue, in which every tool has the number that it had."""
        self._known.learn(catalogue)

    def cordon(self, catalogue: Catalogue) -> Iterator[Action]:
        """Go by a catalogue with the sessions that are blocked now behind its own tools."""
        yield from cordon(self._known, catalogue)

    def resume(self, began: Event) -> None:
        """Take up a session that another run of the sensor began, by its ``session_start``.

        Nobody is in it until late facts or the kernel's records say so. A
        session of a tool that the catalogue does not have any more is left out.
        """
        catalogue = self._known.catalogue
        tool = catalogue.tool(began.tool or "")
        view = began.process
        if tool is None or view is None or began.session is None:
            return
        self._known.sessions.resume(
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
                names=Names(self._known.endpoints),
                chain=(catalogue.index_of(tool.id),),
                view=view,
                processes=1,
                was_resumed=True,
            ),
            within=began.parent_session,
        )

    def settle(self, at_ns: int) -> Iterator[Action]:
        """End the sessions in which nobody is: what they were waiting for happened unseen."""
        for session in self._known.sessions.sweep():
            yield self._known.stream.ended(at_ns, session)
