# SPDX-License-Identifier: Apache-2.0
"""Tables: a policy as the kernel looks it up (probes/policy.h), for one bank.

What the kernel knows by number only (cgroups, folders) stands here by name;
sensor/wire/rulings.py writes the tables when the numbers are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sensor.core.policy.draft import Draft, at
from sensor.core.policy.judge import DEFAULT, QUIC
from sensor.core.policy.lists import Spans
from sensor.core.policy.model import settled
from sensor.core.policy.rows import (
    CGROUPS_OF_BANK,
    RULE_CANARY,
    RULE_DEFAULT,
    RULE_FULL,
    RULE_QUIC,
    RULES,
    USERS_OF_BANK,
    Masks,
    PolicyFlag,
    ToolRules,
)
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv6Network

    from sensor.core.catalogue import Catalogue
    from sensor.core.facts import Address
    from sensor.core.policy.model import Accounts, Policy, Rule
    from sensor.core.policy.rows import DomainRules, Entry, Span

_Key = TypeVar("_Key", int, str)

PATHS = 32
"""Different folders; bits of ``member.paths``."""

_IDS = {RULE_DEFAULT: DEFAULT, RULE_QUIC: QUIC, RULE_CANARY: "canary", RULE_FULL: "full"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """One policy as it goes to the kernel. ``tools`` are by index, 0 for whoever is in no session.

    ``policy`` is what they were made of, with this host's accounts and resolvers.
    """

    policy: Policy
    masks: Masks
    tools: tuple[ToolRules, ...]
    entries: tuple[Entry, ...]
    domains: dict[str, DomainRules]
    ranges: dict[IPv6Network, Span]
    users: dict[int, int]
    cgroups: dict[str, int]
    paths: dict[str, int]
    tells_containers: bool

    @property
    def flags(self) -> PolicyFlag:
        """Say what needs a look at all."""
        needs = {
            PolicyFlag.EXEC: any(tool.exec.count for tool in self.tools),
            PolicyFlag.RANGE: self.ranges,
            PolicyFlag.NAME: self.domains,
            PolicyFlag.CGROUP: self.cgroups,
            PolicyFlag.PATH: self.paths,
            PolicyFlag.USER: self.users,
            PolicyFlag.INSIDE: self.tells_containers,
        }
        return PolicyFlag(sum(flag for flag, needed in needs.items() if needed))

    def rule_at(self, index: int) -> Rule | None:
        """Give the rule behind a number of the kernel, None for what is no rule of the text."""
        return self.policy.rules[index] if index < len(self.policy.rules) else None

    def rule_id(self, index: int) -> str | None:
        """Give what stands for it in events; None for a number of no meaning."""
        rule = self.rule_at(index)
        return rule.id if rule else _IDS.get(index)


def compile_tables(
    policy: Policy,
    catalogue: Catalogue,
    *,
    accounts: Accounts,
    resolvers: Iterable[Address],
    wall_offset_ns: int,
    canary: Address | None = None,
) -> Tables:
    """Lay a policy out for the kernel of a host with these accounts and resolvers.

    Ends are wall clock times, and boot times in the kernel: ``wall_offset_ns`` is
    the one minus the other. With a ``canary`` its address, and the execution of
    the tool after the last of the catalogue, are refused in the canary's cgroup.

    BadInputError names the rule that goes beyond what the kernel can hold.
    """
    known = settled(policy, accounts, resolvers)
    if len(known.rules) > RULES:
        raise BadInputError(f"policy: more than {RULES} rules; join some of them")
    draft = Draft(known, catalogue, wall_offset_ns)
    for position, rule in enumerate(known.rules):
        draft.add(position, rule)
    draft.add_defaults(len(known.rules))
    if canary is not None:
        draft.add_canary(canary)
    return _laid_out(draft, known, catalogue)


def _laid_out(draft: Draft, policy: Policy, catalogue: Catalogue) -> Tables:
    """Give every list its place. BadInputError names a rule that does not fit."""
    spans = Spans(draft.exceptions, lambda position: _place(policy, position))
    names = (None, *(tool.id for tool in catalogue.tools), "canary")
    tools = tuple(
        ToolRules(
            draft.bits.tool(name),
            spans.lay(one.exec, f"executions of {name}"),
            spans.lay(one.reach, f"all that {name or 'anybody'} reaches"),
        )
        for name, one in zip(names, draft.tools, strict=False)
    )
    domains, ranges = draft.names.lay(spans), draft.ranges.lay(spans)
    return Tables(
        policy=policy,
        masks=_masks(draft),
        tools=tools,
        entries=tuple(spans.entries),
        domains=domains,
        ranges=ranges,
        users=_at_most(USERS_OF_BANK, draft.bits.users(), "users, groups", "users"),
        cgroups=_at_most(CGROUPS_OF_BANK, draft.bits.cgroups(), "cgroups", "cgroups"),
        paths=_at_most(PATHS, draft.bits.paths(), "paths", "folders"),
        tells_containers=draft.bits.tells_containers,
    )


def _masks(draft: Draft) -> Masks:
    bits = draft.bits
    return Masks(
        any_user=bits.any_user(),
        any_cgroup=bits.any_cgroup(),
        any_path=bits.any_path(),
        outside=bits.container(inside=False),
        inside=bits.container(inside=True),
        closed=draft.closed,
        named=draft.named,
    )


def _at_most(limit: int, masks: dict[_Key, int], key: str, what: str) -> dict[_Key, int]:
    if len(masks) > limit:
        raise BadInputError(f"policy: {key}: more than {limit} different {what}; join some rules")
    return masks


def _place(policy: Policy, position: int) -> str:
    rules = policy.rules
    return at(rules[position]) if 0 <= position < len(rules) else "policy: defaults"
