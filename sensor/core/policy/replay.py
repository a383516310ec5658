# SPDX-License-Identifier: Apache-2.0
"""What a policy would have refused of what is stored, were all of it enforced.

Exceptions count as they stand now: what is asked is what tomorrow would be like.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sensor.core.event import ProcessView
from sensor.core.facts import Transport
from sensor.core.policy.judge import DNS_PORT, Execution, Reach, judge, plain
from sensor.core.policy.model import Mode, conditions
from sensor.core.proof.place import is_proof
from sensor.core.risk import words_of
from sensor.core.table import shown
from sensor.core.words import Kind, NameSource, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sensor.core.event import Destination, Event
    from sensor.core.policy.judge import Ruling
    from sensor.core.policy.model import Policy
    from sensor.core.table import Cell

KINDS = frozenset({Kind.EXEC.value, Kind.CONNECT.value})
"""The events that are attempts."""

FIGURES = ("executions", "connections", "sessions", "first_at", "last_at")
BY = ("rule", "mode", "user", "host")
HEADS = (*BY, "executions", "connections", "sessions", "last", "what")
MOST = 3
"""Of what was refused to one user, so many are named."""

_NOBODY = ProcessView(pid=0, started_ns=0)
"""Of whom nothing is known: what a policy asks for is then missing, and said to be."""

_SECONDS = len("2026-11-23T14:03:07")


@dataclass(slots=True)
class Refused:
    """What one rule would have refused to one user on one host."""

    values: tuple[Cell, ...]
    first_at: str
    last_at: str
    executions: int = 0
    connections: int = 0
    members: set[str] = field(default_factory=set)
    what: Counter[str] = field(default_factory=Counter)

    @property
    def sessions(self) -> int:
        """How many sessions it happened in."""
        return len(self.members)

    def as_dict(self) -> dict[str, object]:
        """Return it under its names."""
        return {
            **dict(zip(BY, self.values, strict=True)),
            **{name: getattr(self, name) for name in FIGURES},
            "what": dict(self.what.most_common()),
        }

    def texts(self) -> list[str]:
        """Return it for people."""
        named = [shown(word) for word, _ in self.what.most_common(MOST)]
        more = len(self.what) - len(named)
        return [
            *map(shown, self.values),
            str(self.executions),
            str(self.connections),
            str(self.sessions),
            f"{self.last_at[:_SECONDS]}Z",
            " ".join([*named, f"and {more} more"] if more else named),
        ]


@dataclass(frozen=True, slots=True)
class _Session:
    tool: str | None
    parent: str | None
    exe: str | None
    is_proof: bool = False


class Replay:
    """Takes the starts of all sessions first, and then what they did, in order.

    What `prove` tried is nobody's attempt: it is counted as ``proofs``, and not judged.
    """

    def __init__(self, policy: Policy, now: datetime) -> None:
        self._modes = {rule.id: policy.mode_of(rule).value for rule in policy.rules}
        self._default_mode = policy.mode.value
        self._policy = replace(
            policy,
            mode=Mode.ENFORCE,
            rules=tuple(replace(rule, mode=None) for rule in policy.rules),
        )
        named = list(conditions(policy))
        self._needs_uid = any(one.names_users for one in named)
        self._needs_cgroup = any(one.cgroups for one in named)
        self._needs_exe = any(one.paths for one in named)
        self._needs_container = any(one.container is not None for one in named)
        self._now = now
        self._sessions: dict[str, _Session] = {}
        self._groups: dict[tuple[Cell, ...], Refused] = {}
        self.judged = self.proofs = 0
        self.unjudged: Counter[str] = Counter()

    def start(self, event: Event) -> None:
        """Note which tool a session is of, and within which other one it began."""
        if event.session:
            process = event.process
            self._sessions[event.session] = _Session(
                event.tool, event.parent_session, process.exe if process else None,
                is_proof(process),
            )  # fmt: skip

    def take(self, event: Event) -> None:
        """Judge an event, if it is an attempt."""
        process = event.process or _NOBODY
        if event.kind is Kind.CONNECT and event.destination:
            self._judge(event, self._reach(event, process, event.destination))
        elif event.kind is Kind.EXEC and event.evidence and event.tool:
            self._judge(event, _execution(event.tool, process, event))

    def groups(self) -> list[Refused]:
        """Return what would have been refused, the most first."""
        return sorted(
            self._groups.values(),
            key=lambda one: (-one.executions - one.connections, [str(cell) for cell in one.values]),
        )

    def _judge(self, event: Event, attempt: Execution | Reach) -> None:
        session = self._sessions.get(event.session or "")
        if is_proof(event.process) or (session and session.is_proof):
            self.proofs += 1
            return
        lacks = list(self._lacking(event, attempt))
        if lacks:
            self.unjudged.update(lacks)
            return
        policy = self._policy_for(attempt)
        ruling = judge(policy, attempt, self._now)
        if self._needs_container:
            inside = judge(policy, replace(attempt, in_container=True), self._now)
            if inside != ruling:
                self.unjudged["whether it was in a container is not stored"] += 1
                return
        self.judged += 1
        if ruling.verdict is Verdict.BLOCK:
            self._count(event, ruling)

    def _policy_for(self, attempt: Execution | Reach) -> Policy:
        """Take whom somebody asked for names for a resolver that the host is configured with."""
        if isinstance(attempt, Reach) and attempt.port == DNS_PORT and attempt.address:
            trusted = self._policy.resolvers | {plain(attempt.address)}
            return replace(self._policy, resolvers=trusted)
        return self._policy

    def _lacking(self, event: Event, attempt: Execution | Reach) -> Iterator[str]:
        process = event.process
        if self._needs_uid and (process is None or process.uid is None):
            yield "its user is not known"
        if self._needs_cgroup and (process is None or process.cgroup is None):
            yield "its cgroup is not known"
        if self._needs_exe and attempt.exe is None:
            yield "the file of its tool is not known"

    def _count(self, event: Event, ruling: Ruling) -> None:
        process, to = event.process, event.destination
        uid = process.uid if process else None
        user = (process.user if process else None) or (None if uid is None else str(uid))
        mode = self._modes.get(ruling.rule_id, self._default_mode)
        values = (ruling.rule_id, mode, user, event.host)
        group = self._groups.get(values)
        if group is None:
            group = self._groups[values] = Refused(values, event.at, event.at)
        group.first_at = min(group.first_at, event.at)
        group.last_at = max(group.last_at, event.at)
        if event.session:
            group.members.add(event.session)
        if to is None:
            group.executions += 1
            group.what[str(event.tool)] += 1
        else:
            group.connections += 1
            group.what[_named(to)] += 1

    def _reach(self, event: Event, process: ProcessView, to: Destination) -> Reach:
        chain = list(self._chain(event))
        is_proxied = to.name_source is NameSource.PROXY
        return Reach(
            tools=tuple(one.tool for one in reversed(chain) if one.tool),
            uid=-1 if process.uid is None else process.uid,
            cgroup=process.cgroup or "/",
            exe=chain[0].exe if chain else None,
            address=None if is_proxied else to.ip,
            port=to.port or 0,
            transport=Transport(to.transport or "other"),
            name=to.name,
            name_source=to.name_source,
            is_name_trusted=True,
        )

    def _chain(self, event: Event) -> Iterator[_Session]:
        """Give the sessions that an event is in, the innermost first."""
        seen: set[str] = set()
        name = event.session
        while name and name not in seen:
            seen.add(name)
            one = self._sessions.get(name)
            if one is None:
                # Its start is no longer stored; its own events still name its tool.
                if name == event.session:
                    yield _Session(event.tool, None, None)
                return
            yield one
            name = one.parent


def _execution(tool: str, process: ProcessView, event: Event) -> Execution:
    return Execution(
        tool=tool,
        uid=-1 if process.uid is None else process.uid,
        cgroup=process.cgroup or "/",
        exe=process.exe,
        risk=words_of(event.risk),
    )


def _named(to: Destination) -> str:
    return to.name or str(to.ip)
