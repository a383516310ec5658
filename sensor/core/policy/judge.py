# SPDX-License-Identifier: Apache-2.0
"""What a policy says of an attempt: the reference that the kernel's tables are held to.

The first rule that is about the attempt wins; an exception takes a rule out for
whom it names. Nothing here looks at a clock: ``now`` comes with the question.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from sensor.core.facts import Transport
from sensor.core.policy.model import Mode
from sensor.core.words import UNKNOWN_CLIENT, NameSource, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sensor.core.facts import Address
    from sensor.core.policy.model import Condition, Policy, Rule, Target

TLS_PORT = 443
"""Where a TLS hello follows that says the name, and where QUIC would evade it."""

DNS_PORT = 53

DEFAULT, QUIC = "default", "quic"
"""What stands in the place of a rule's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A catalogued tool is to be executed. ``exe`` is its file, ``cgroup`` a path from the root.

    ``risk`` are the words for what is dangerous about the run, as far as it is known.
    """

    tool: str
    uid: int
    cgroup: str = "/"
    in_container: bool = False
    exe: str | None = None
    risk: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A process is to reach something over the network.

    ``tools`` are those in whose sessions it is, the outermost first, and ``exe``
    the file of the innermost. Through a proxy ``address`` and ``port`` are those
    of the target, and ``address`` is None where it is a name. ``name`` is what
    ``name_source`` calls the far end. A name from DNS ``is_name_trusted`` if a
    resolver gave it that the host is configured with.
    """

    tools: tuple[str, ...]
    uid: int
    address: Address | None
    port: int
    transport: Transport = Transport.TCP
    cgroup: str = "/"
    in_container: bool = False
    exe: str | None = None
    name: str | None = None
    name_source: NameSource | None = None
    is_name_trusted: bool = False


class Basis(Enum):
    """What a ruling rests on."""

    NOTHING = "nothing"
    TOOL = "tool"
    ADDRESS = "address"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a policy says; ``rule`` is None where no rule of it was about the attempt.

    ``confines`` where the rule's ``egress_only`` did not let it through.
    """

    verdict: Verdict
    rule_id: str = DEFAULT
    rule: Rule | None = None
    confines: bool = False
    basis: Basis = Basis.NOTHING


def judge(policy: Policy, attempt: Execution | Reach, now: datetime) -> Ruling:
    """Say what a settled policy makes of an attempt, once and for all.

    Of a connection it is the final say for the name that is given. A caller who
    has a name from DNS asks ``is_left_to_hello`` whether to go by it yet.
    """
    if isinstance(attempt, Execution):
        return _executed(policy, attempt, now)
    ruling = _reached(policy, attempt, now)
    if _is_evasive(policy, attempt, ruling):
        return Ruling(verdict=Verdict.BLOCK, rule_id=QUIC)
    return ruling


def is_left_to_hello(reach: Reach, ruling: Ruling) -> bool:
    """Say whether a connect goes ahead, to be judged by what it says first.

    Sites share addresses, so that a name from DNS may be that of another one. On
    TCP port 443 the TLS hello says which is meant. It is judged anew by the name
    in it; by none, where it has none: then with the name from DNS, untrusted.
    """
    return (
        ruling.basis is Basis.NAME
        and reach.name_source is NameSource.DNS
        and reach.transport is Transport.TCP
        and reach.port == TLS_PORT
    )


def holds(condition: Condition, attempt: Execution | Reach) -> bool:
    """Say whether an attempt is by one whom a condition names."""
    return (
        (condition.tools is None or any(tool in condition.tools for tool in _tools(attempt)))
        and (not condition.names_users or attempt.uid in condition.uids)
        and (
            not condition.cgroups
            or any(is_within(attempt.cgroup, one) for one in condition.cgroups)
        )
        and condition.container in {None, attempt.in_container}
        and (not condition.paths or any(_is_below(attempt.exe, one) for one in condition.paths))
        and (not condition.risk or not _risk(attempt).isdisjoint(condition.risk))
    )


def is_met(target: Target, reach: Reach) -> Basis | None:
    """Say by what an attempt reaches a target, None where it does not."""
    if target.port not in {None, reach.port}:
        return None
    if target.is_everything:
        return Basis.TOOL
    if target.network is not None:
        is_in = reach.address is not None and plain(reach.address) in target.network
        return Basis.ADDRESS if is_in else None
    return Basis.NAME if target.name and _is_named(target, reach.name) else None


def plain(address: Address) -> Address:
    """Give an address without its mapping into IPv6."""
    return getattr(address, "ipv4_mapped", None) or address


def is_within(cgroup: str, top: str) -> bool:
    """Say whether a cgroup is another one, or below it."""
    return top in {"/", cgroup} or cgroup.startswith(f"{top}/")


def refuses_by_name(policy: Policy, rule: Rule) -> bool:
    """Say whether a rule keeps anybody from a name, rather than just say so."""
    return rule.refuses and rule.names_hosts and policy.mode_of(rule) is Mode.ENFORCE


def _executed(policy: Policy, execution: Execution, now: datetime) -> Ruling:
    for rule in policy.rules:
        if rule.is_about_running and _applies(rule, execution, now):
            return _ruling(policy, rule, Basis.TOOL)
    return Ruling(verdict=policy.in_effect(policy.tool), basis=Basis.TOOL)


def _reached(policy: Policy, reach: Reach, now: datetime) -> Ruling:
    for rule in policy.rules:
        if not _applies(rule, reach, now):
            continue
        if rule.egress_only is not None:
            return _confined(policy, rule, reach)
        if rule.is_about_running:
            if rule.verdict is Verdict.BLOCK:
                return _ruling(policy, rule, Basis.TOOL)
        elif basis := _basis(rule.targets, reach):
            return _ruling(policy, rule, basis)
    if not reach.tools and policy.unknown_client is not Verdict.ALLOW:
        basis = _basis(policy.services, reach)
        if basis:
            return Ruling(verdict=policy.in_effect(policy.unknown_client), basis=basis)
    return Ruling(verdict=Verdict.ALLOW)


def _confined(policy: Policy, rule: Rule, reach: Reach) -> Ruling:
    """Let through what is named; a name from DNS counts if its resolver can be trusted."""
    believed = reach.is_name_trusted or reach.name_source is not NameSource.DNS
    targets = [one for one in rule.egress_only or () if believed or one.name is None]
    if basis := _basis(targets, reach):
        return _ruling(policy, rule, basis)
    if reach.port == DNS_PORT and reach.address and plain(reach.address) in policy.resolvers:
        return Ruling(verdict=Verdict.ALLOW, rule_id=rule.id, rule=rule, basis=Basis.ADDRESS)
    return Ruling(
        verdict=policy.in_effect(Verdict.BLOCK, rule),
        rule_id=rule.id,
        rule=rule,
        confines=True,
        basis=Basis.TOOL,
    )


def _is_evasive(policy: Policy, reach: Reach, ruling: Ruling) -> bool:
    """Say whether a session goes past the hellos that some rule would judge it by.

    What an address or the tool alone decides needs no name. That a runtime block
    or an exception has ended does not matter here.
    """
    return (
        bool(reach.tools)
        and reach.transport is Transport.UDP
        and reach.port == TLS_PORT
        and ruling.verdict is not Verdict.BLOCK
        and ruling.basis in {Basis.NOTHING, Basis.NAME}
        and any(
            refuses_by_name(policy, rule) and holds(rule.condition, reach) for rule in policy.rules
        )
    )


def _applies(rule: Rule, attempt: Execution | Reach, now: datetime) -> bool:
    if rule.expires is not None and rule.expires <= now:
        return False
    return holds(rule.condition, attempt) and not any(
        now < exception.expires and holds(exception.condition, attempt)
        for exception in rule.exceptions
    )


def _ruling(policy: Policy, rule: Rule, basis: Basis) -> Ruling:
    return Ruling(
        verdict=policy.in_effect(rule.verdict, rule), rule_id=rule.id, rule=rule, basis=basis
    )


def _basis(targets: Iterable[Target], reach: Reach) -> Basis | None:
    """Give the firmest ground on which any of these is reached: a name is the least."""
    found = {basis for target in targets if (basis := is_met(target, reach))}
    return next((one for one in (Basis.TOOL, Basis.ADDRESS, Basis.NAME) if one in found), None)


def _tools(attempt: Execution | Reach) -> tuple[str, ...]:
    """Give the tools that act; who is in no session is an unknown client."""
    if isinstance(attempt, Execution):
        return (attempt.tool,)
    return attempt.tools or (UNKNOWN_CLIENT,)


def _risk(attempt: Execution | Reach) -> frozenset[str]:
    return attempt.risk if isinstance(attempt, Execution) else frozenset()


def _is_below(path: str | None, folder: str) -> bool:
    return path is not None and path.startswith(f"{folder}/")


def _is_named(target: Target, name: str | None) -> bool:
    if name is None:
        return False
    spoken = name.rstrip(".").lower()
    return spoken.endswith(f".{target.name}") or (not target.below and spoken == target.name)
