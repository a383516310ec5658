# SPDX-License-Identifier: Apache-2.0
"""Policy as values: rules in their order, whom they are about, and what they say.

A policy that was just read knows users and groups by name alone. ``settled``
adds what this host knows of them; until then a name holds for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from sensor.core.words import RUNTIME, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from ipaddress import IPv4Network, IPv6Network

    from sensor.core.audit.trigger import Occasion
    from sensor.core.facts import Address


class Mode(Enum):
    """How far a policy, or one rule of it, goes; each goes further than the one before."""

    OBSERVE = "observe"
    SHADOW = "shadow"
    ENFORCE = "enforce"


class Running(Enum):
    """What happens to sessions that run already when a rule begins to block them."""

    DISCONNECT = "disconnect"
    KILL = "kill"


class WhenFull(Enum):
    """What holds where the kernel has no room to follow or to judge."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Target:
    """What can be reached: a host name, a range of addresses, or (with neither) everything.

    A name stands for itself and all below it, or for what is ``below`` alone.
    """

    name: str | None = None
    below: bool = False
    network: IPv4Network | IPv6Network | None = None
    port: int | None = None

    @property
    def is_everything(self) -> bool:
        """Say whether neither name nor address matters."""
        return self.name is None and self.network is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Whom a rule is about. All parts have to hold; of one part, any of its words.

    ``tools`` are ids of the catalogue, None for whoever acts. ``uids`` are those
    of ``users`` and ``groups``, as far as they are known. ``risk`` is what makes a
    run of a tool a dangerous one, which user space alone can tell.
    """

    tools: frozenset[str] | None = None
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    cgroups: tuple[str, ...] = ()
    container: bool | None = None
    paths: tuple[str, ...] = ()
    risk: tuple[str, ...] = ()
    uids: frozenset[int] = frozenset()

    @property
    def names_users(self) -> bool:
        """Say whether it matters who the user is."""
        return bool(self.users or self.groups)

    @property
    def is_nobodys(self) -> bool:
        """Say whether nobody can meet it: this host knows none of its users."""
        return self.names_users and not self.uids


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleException:
    """Takes a rule out for whom the condition names, until it ends."""

    condition: Condition
    expires: datetime
    ticket: str
    reason: str | None = None
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. Without ``targets`` it is about running, with them about reaching.

    ``egress_only`` is what sessions of its tools may reach, None where they are
    not confined. ``tools`` and ``endpoints`` are the words as written. Runtime
    blocks alone have an end. ``place`` is where it stands: ``file:line``.
    """

    id: str
    verdict: Verdict
    condition: Condition
    targets: tuple[Target, ...] = ()
    egress_only: tuple[Target, ...] | None = None
    mode: Mode | None = None
    message: str | None = None
    running: Running = Running.DISCONNECT
    when_full: WhenFull = WhenFull.OPEN
    exceptions: tuple[RuleException, ...] = ()
    expires: datetime | None = None
    ticket: str | None = None
    reason: str | None = None
    tools: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    egress: tuple[str, ...] = ()
    place: str = ""

    @property
    def is_about_running(self) -> bool:
        """Say whether it judges executions."""
        return not self.targets

    @property
    def confines(self) -> bool:
        """Say whether what it does not let through is refused."""
        return self.egress_only is not None

    @property
    def refuses(self) -> bool:
        """Say whether it refuses anything, if its mode lets it."""
        return self.verdict is Verdict.BLOCK or self.confines

    @property
    def names_hosts(self) -> bool:
        """Say whether it judges by name."""
        return any(target.name for target in (*self.targets, *(self.egress_only or ())))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeBlock:
    """What a responder blocks until it ends, before all rules. Its words are those of a rule.

    Who gives ``users`` alone blocks every tool of theirs.
    """

    number: int
    expires: datetime
    ticket: str
    tools: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    reason: str | None = None
    message: str | None = None

    @property
    def id(self) -> str:
        """Name it as events do."""
        return f"{RUNTIME}{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A whole policy; ``rules`` in the order in which they are asked.

    ``tool`` and ``unknown_client`` are the defaults. ``services`` is everything
    that the catalogue's endpoints name. ``resolvers`` are trusted. ``audits``
    follow detections, None where the daemon's configuration says after which.
    """

    mode: Mode
    tool: Verdict = Verdict.ALERT
    unknown_client: Verdict = Verdict.ALERT
    resolvers: frozenset[Address] = frozenset()
    rules: tuple[Rule, ...] = ()
    services: tuple[Target, ...] = ()
    audits: Occasion | None = None

    @property
    def blocks(self) -> int:
        """Count what responders have put before its own rules: that alone has an end."""
        return sum(rule.expires is not None for rule in self.rules)

    @property
    def own_rules(self) -> int:
        """Count the rules of its text."""
        return len(self.rules) - self.blocks

    def mode_of(self, rule: Rule) -> Mode:
        """Give how far a rule goes: never further than the whole."""
        return min(self.mode, rule.mode or self.mode, key=_ORDER.__getitem__)

    def exception_ends(self, *, after: datetime) -> datetime | None:
        """Say when the next exception ends: what it has let through is to be judged then."""
        ends = (one.expires for rule in self.rules for one in rule.exceptions)
        return min((end for end in ends if end > after), default=None)

    def in_effect(self, verdict: Verdict, rule: Rule | None = None) -> Verdict:
        """Give what a verdict comes to: only where policy is enforced is anything refused."""
        if verdict is not Verdict.BLOCK:
            return verdict
        return _EFFECTS[self.mode_of(rule) if rule else self.mode]


_ORDER = {mode: number for number, mode in enumerate(Mode)}
_EFFECTS = {
    Mode.OBSERVE: Verdict.ALERT,
    Mode.SHADOW: Verdict.WOULD_BLOCK,
    Mode.ENFORCE: Verdict.BLOCK,
}


@dataclass(frozen=True, slots=True)
class Accounts:
    """What a host knows of the users and groups that a policy names: uid, and uids of the members.

    What is unknown here is left out.
    """

    users: Mapping[str, int]
    groups: Mapping[str, frozenset[int]]


def conditions(policy: Policy) -> Iterable[Condition]:
    """Give every condition of a policy, those of exceptions too."""
    for rule in policy.rules:
        yield rule.condition
        for exception in rule.exceptions:
            yield exception.condition


def names(policy: Policy) -> tuple[frozenset[str], frozenset[str]]:
    """Give the users and the groups whose accounts a policy needs; a number needs none."""
    users = {user for one in conditions(policy) for user in one.users if not user.isdigit()}
    groups = {group for one in conditions(policy) for group in one.groups}
    return frozenset(users), frozenset(groups)


def settled(policy: Policy, accounts: Accounts, resolvers: Iterable[Address] = ()) -> Policy:
    """Add what a host knows: its accounts, and the resolvers that it is configured with."""

    def settle(condition: Condition) -> Condition:
        if not condition.names_users:
            return condition
        return replace(condition, uids=_uids(condition, accounts))

    rules = tuple(
        replace(
            rule,
            condition=settle(rule.condition),
            exceptions=tuple(
                replace(exception, condition=settle(exception.condition))
                for exception in rule.exceptions
            ),
        )
        for rule in policy.rules
    )
    return replace(policy, rules=rules, resolvers=policy.resolvers | frozenset(resolvers))


def _uids(condition: Condition, accounts: Accounts) -> frozenset[int]:
    found = {int(user) for user in condition.users if user.isdigit()}
    found |= {accounts.users[user] for user in condition.users if user in accounts.users}
    for group in condition.groups:
        found |= accounts.groups.get(group, frozenset())
    return frozenset(found)
