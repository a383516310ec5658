# SPDX-License-Identifier: Apache-2.0
"""A draft of the kernel's tables: the entries that each rule makes, in the lists they belong to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING

from sensor.core.policy.bits import STRANGERS, Bits, Who
from sensor.core.policy.judge import refuses_by_name
from sensor.core.policy.lists import Names, Ranges, add_entry
from sensor.core.policy.model import Mode, WhenFull
from sensor.core.policy.rows import RULE_CANARY, RULE_DEFAULT, Entry, EntryFlag, TableVerdict
from sensor.core.words import UNKNOWN_CLIENT, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.catalogue import Catalogue
    from sensor.core.facts import Address
    from sensor.core.policy.model import Policy, Rule, Target

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_US = 1000
_CANARY_POSITION = -1
_ORDERS = 2
"""Of each rule: for what it says, and for what its ``egress_only`` does not let through."""


@dataclass(slots=True)
class OfTool:
    """Lists of one tool: entries by the position of their rule."""

    exec: dict[int, tuple[Entry, ...]] = field(default_factory=dict)
    reach: dict[int, tuple[Entry, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule says: its entry, and whom that is for.

    ``conditions`` are those for names and ranges, ``of_tool`` those for a tool's lists.
    """

    entry: Entry
    conditions: int
    of_tool: int


class Draft:
    """Takes the rules of a settled policy in their order. ``tools`` are by catalogue index.

    ``wall_offset_ns`` is wall clock minus boot time. ``exceptions`` stand before
    the entries of the rule at that position. ``closed`` and ``named`` are masks.
    BadInputError names the rule for which there are no bits left.
    """

    def __init__(self, policy: Policy, catalogue: Catalogue, wall_offset_ns: int) -> None:
        self.bits = Bits()
        self.tools = [OfTool() for _ in range(len(catalogue.tools) + 1)]
        self.names, self.ranges = Names(), Ranges()
        self.exceptions: dict[int, tuple[Entry, ...]] = {}
        self.closed = self.named = 0
        self._policy = policy
        self._catalogue = catalogue
        self._wall_offset_ns = wall_offset_ns

    def add(self, position: int, rule: Rule) -> None:
        """Enter a rule; one that this host has nobody for leaves no trace.

        Nor does one about risk, which the kernel cannot tell: user space asks the policy.
        """
        if rule.condition.is_nobodys or rule.condition.risk:
            return
        who = Who.of(rule.condition, with_tools=True)
        is_closed = (
            rule.when_full is WhenFull.CLOSED
            and rule.refuses
            and self._policy.mode_of(rule) is Mode.ENFORCE
        )
        if is_closed:
            self.closed |= self.bits.always(who, at(rule))
        if refuses_by_name(self._policy, rule):
            self.named |= self.bits.always(who, at(rule))
        if rule.exceptions:
            self.exceptions[position] = tuple(self._skips(position, rule))
        reached = (*rule.targets, *(rule.egress_only or ()))
        is_placed = any(not target.is_everything for target in reached)
        is_of_tool = rule.is_about_running or any(target.is_everything for target in reached)
        said = Said(
            entry=self._entry(position, rule),
            # A list of a tool needs no bit for it, unless that is what fails closed.
            conditions=self._mask(rule, with_tools=True, is_closed=is_closed) if is_placed else 0,
            of_tool=(
                self._mask(rule, with_tools=is_closed, is_closed=is_closed) if is_of_tool else 0
            ),
        )
        if rule.targets:
            for target in rule.targets:
                self._target(position, rule, target, said)
        else:
            self._run(position, rule, said)

    def add_defaults(self, position: int) -> None:
        """Enter what holds where no rule does."""
        policy, order = self._policy, _order(position)
        tool = TableVerdict.of(policy.in_effect(policy.tool))
        entry = Entry(rule=RULE_DEFAULT, verdict=tool, order=order)
        for one in self.tools[1:]:
            add_entry(one.exec, position, entry)
        if policy.unknown_client is Verdict.ALLOW:
            return
        stranger = Entry(
            rule=RULE_DEFAULT,
            verdict=TableVerdict.of(policy.in_effect(policy.unknown_client)),
            order=order,
            conditions=self.bits.always(STRANGERS, "policy: defaults: unknown_client"),
        )
        for target in policy.services:
            self._place(position, target, stranger)

    def add_canary(self, address: Address) -> None:
        """Enter what proves that the kernel refuses, before everything else."""
        entry = Entry(rule=RULE_CANARY, verdict=TableVerdict.BLOCK, order=_order(_CANARY_POSITION))
        self.tools.append(OfTool(exec={_CANARY_POSITION: (entry,)}))
        self.ranges.add(ip_network(address), _CANARY_POSITION, entry)

    def _run(self, position: int, rule: Rule, said: Said) -> None:
        """Enter a rule about running, and what it means for what its sessions reach."""
        entry = replace(said.entry, conditions=said.of_tool)
        for one in self._of(rule):
            add_entry(one.exec, position, entry)
        for target in rule.egress_only or ():
            self._target(position, rule, target, said)
        if not rule.refuses:
            return
        refused = TableVerdict.of(self._policy.in_effect(Verdict.BLOCK, rule))
        entry = replace(entry, verdict=refused)
        if rule.confines:
            entry = replace(entry, order=entry.order + 1, flags=EntryFlag.CONFINES)
        for one in self._of(rule):
            add_entry(one.reach, position, entry)

    def _target(self, position: int, rule: Rule, target: Target, said: Said) -> None:
        if target.is_everything:
            entry = replace(said.entry, conditions=said.of_tool, port=target.port or 0)
            for one in self._of(rule):
                add_entry(one.reach, position, entry)
            return
        flags = EntryFlag.TRUSTED if rule.confines and target.name else EntryFlag(0)
        entry = replace(said.entry, conditions=said.conditions, flags=flags)
        self._place(position, target, entry)

    def _place(self, position: int, target: Target, entry: Entry) -> None:
        placed = replace(entry, port=target.port or 0)
        if target.network is not None:
            self.ranges.add(target.network, position, placed)
        else:
            self.names.add(str(target.name), position, placed, below=target.below)

    def _of(self, rule: Rule) -> list[OfTool]:
        """Give the lists of whom a rule is about; the first is that of whoever is in no session."""
        if rule.condition.tools is None:
            return self.tools
        index = self._catalogue.index_of
        return [
            self.tools[0 if tool == UNKNOWN_CLIENT else index(tool)]
            for tool in sorted(rule.condition.tools)
        ]

    def _skips(self, position: int, rule: Rule) -> Iterator[Entry]:
        for exception in rule.exceptions:
            if not exception.condition.is_nobodys:
                who = Who.of(exception.condition, with_tools=True)
                yield Entry(
                    rule=position,
                    verdict=TableVerdict.SKIP,
                    order=_order(position),
                    conditions=self.bits.of(who, f"{exception.place}: exception to {rule.id!a}"),
                    end_ns=self._end_ns(exception.expires),
                )

    def _entry(self, position: int, rule: Rule) -> Entry:
        return Entry(
            rule=position,
            verdict=TableVerdict.of(self._policy.in_effect(rule.verdict, rule)),
            order=_order(position),
            end_ns=self._end_ns(rule.expires) if rule.expires else 0,
        )

    def _mask(self, rule: Rule, *, with_tools: bool, is_closed: bool) -> int:
        who = Who.of(rule.condition, with_tools=with_tools)
        return (self.bits.always if is_closed else self.bits.of)(who, at(rule))

    def _end_ns(self, moment: datetime) -> int:
        """Give an end in boot time; what ended before the boot has ended."""
        wall_ns = (moment - _EPOCH) // timedelta(microseconds=1) * _NS_PER_US
        return max(1, wall_ns - self._wall_offset_ns)


def at(rule: Rule) -> str:
    """Say where a rule stands, as errors begin."""
    return f"{rule.place}: rule {rule.id!a}"


def _order(position: int) -> int:
    return _ORDERS * (position + 1)
