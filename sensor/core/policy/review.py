# SPDX-License-Identifier: Apache-2.0
"""What a policy says and its owner may not mean: sentences, each with its place."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sensor.core.policy.draft import at
from sensor.core.policy.judge import is_within
from sensor.core.policy.lists import mapped
from sensor.core.policy.model import Mode
from sensor.core.words import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from ipaddress import IPv6Network

    from sensor.core.catalogue import Catalogue
    from sensor.core.policy.model import Accounts, Condition, Policy, Rule, Target

_ORDER = list(Mode)


def warnings(policy: Policy, accounts: Accounts, now: datetime, catalogue: Catalogue) -> list[str]:
    """Give what is worth a word in a settled policy, in its order.

    Covered rules are found where one other rule covers them; several that do so
    together are not looked for.
    """
    earlier = _Earlier()
    shared = {
        tool.id: tuple(mark.value for mark in tool.marks if mark.shared) for tool in catalogue.tools
    }
    found: list[str] = []
    for rule in policy.rules:
        found += _of_users(rule, accounts)
        found += _of_exceptions(rule, now)
        found += _of_mode(policy, rule)
        found += _of_shared_names(rule, shared)
        found += earlier.covering(rule)
        earlier.add(rule)
    return found


def covers(one: Condition, other: Condition) -> bool:
    """Say whether all whom the other condition names are named by this one as well."""
    return (
        (one.tools is None or (other.tools is not None and other.tools <= one.tools))
        and (not one.names_users or (other.names_users and other.uids <= one.uids))
        and (not one.cgroups or _all_within(other.cgroups, one.cgroups))
        and one.container in {None, other.container}
        and (not one.paths or _all_within(other.paths, one.paths))
        and (not one.risk or (bool(other.risk) and {*other.risk} <= {*one.risk}))
    )


def reaches(one: Target, other: Target) -> bool:
    """Say whether a target is all of another one."""
    if one.port not in {None, other.port}:
        return False
    if one.is_everything:
        return True
    if one.network is not None:
        if other.network is None or one.network.version != other.network.version:
            return False
        return mapped(other.network).subnet_of(mapped(one.network))
    if other.name == one.name:
        return other.below or not one.below
    return other.name is not None and other.name.endswith(f".{one.name}")


class _Earlier:
    """The rules before one, by what they are about."""

    def __init__(self) -> None:
        self._running: dict[str, list[Rule]] = defaultdict(list)
        self._names: dict[str, list[Rule]] = defaultdict(list)
        self._ranges: dict[IPv6Network, list[Rule]] = defaultdict(list)
        self._prefixes: set[int] = set()
        self._everything: list[Rule] = []

    def add(self, rule: Rule) -> None:
        """Keep a rule that always stands; one with an end or an exception may step aside."""
        if rule.expires or rule.exceptions or rule.condition.is_nobodys:
            return
        if rule.is_about_running:
            for tool in rule.condition.tools or ():
                self._running[tool].append(rule)
        if any(target.is_everything for target in rule.targets):
            self._everything.append(rule)
        for name in {target.name for target in rule.targets if target.name}:
            self._names[name].append(rule)
        for network in {mapped(target.network) for target in rule.targets if target.network}:
            self._ranges[network].append(rule)
            self._prefixes.add(network.prefixlen)

    def covering(self, rule: Rule) -> Iterator[str]:
        """Say which rule, if one does, leaves nothing for this one."""
        tools = sorted(rule.condition.tools or ())
        for other in self._running[tools[0]] if tools else ():
            if covers(other.condition, rule.condition):
                if other.refuses or (rule.is_about_running and not rule.refuses):
                    yield f"{at(rule)}: is never reached: rule {other.id!a} comes first"
                    return
                if rule.is_about_running:
                    yield (
                        f"{at(rule)}: judges no execution, as rule {other.id!a} comes first;"
                        " it still refuses connections"
                    )
                    return
        for other in self._candidates(rule):
            if covers(other.condition, rule.condition) and all(
                any(reaches(one, target) for one in other.targets) for target in rule.targets
            ):
                yield f"{at(rule)}: is never reached: rule {other.id!a} comes first"
                return

    def _candidates(self, rule: Rule) -> Iterator[Rule]:
        """Give the rules that may cover the first target of a rule about reaching."""
        if not rule.targets:
            return
        yield from self._everything
        first = rule.targets[0]
        name = first.name or ""
        while name:
            yield from self._names.get(name, ())
            _, _, name = name.partition(".")
        if first.network is not None:
            network = mapped(first.network)
            for prefix in sorted(self._prefixes):
                if prefix <= network.prefixlen:
                    yield from self._ranges.get(network.supernet(new_prefix=prefix), ())


def _of_users(rule: Rule, accounts: Accounts) -> Iterator[str]:
    parts = [(at(rule), rule.condition)]
    parts += [(f"{one.place}: exception to {rule.id!a}", one.condition) for one in rule.exceptions]
    for place, condition in parts:
        for user in condition.users:
            if not user.isdigit() and user not in accounts.users:
                yield f"{place}: users: this host has no user {user!a}"
        for group in condition.groups:
            if group not in accounts.groups:
                yield f"{place}: groups: this host has no group {group!a}"
        if condition.is_nobodys:
            yield f"{place}: holds for nobody on this host"


def _of_exceptions(rule: Rule, now: datetime) -> Iterator[str]:
    for one in rule.exceptions:
        if one.expires <= now:
            yield (
                f"{one.place}: exception to {rule.id!a}: ended at {one.expires.isoformat()}"
                f" ({one.ticket!a}); remove it"
            )


def _of_mode(policy: Policy, rule: Rule) -> Iterator[str]:
    if rule.mode and _ORDER.index(rule.mode) > _ORDER.index(policy.mode):
        yield (
            f"{at(rule)}: mode: {rule.mode.value} goes further than the policy, which is in"
            f" {policy.mode.value}"
        )


def _of_shared_names(rule: Rule, shared: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Say which tools are looked at before they are refused, as strangers bear their names."""
    if rule.verdict is not Verdict.BLOCK or not rule.is_about_running:
        return
    tools = sorted(rule.condition.tools or ())
    if names := [ascii(name) for tool in tools for name in shared.get(tool, ())]:
        yield (
            f"{at(rule)}: tools: {', '.join(names)}: by the bare name it is ended after the start,"
            " not before, as a known stranger bears it too; by the path of its package before"
        )


def _all_within(paths: tuple[str, ...], tops: tuple[str, ...]) -> bool:
    return bool(paths) and all(any(is_within(path, top) for top in tops) for path in paths)
