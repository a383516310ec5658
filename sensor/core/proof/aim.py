# SPDX-License-Identifier: Apache-2.0
"""What of a policy each technique is tried on, and what policy says of the attempt.

The reference (``core/policy/judge``) is asked, so that what is expected is never
what the kernel happens to do. Of a policy whose modes are lower it is asked what
it would refuse if it were enforced, and then what it says as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from sensor.core.facts import Transport
from sensor.core.policy import judge
from sensor.core.policy.model import Mode, Target
from sensor.core.proof.technique import BY_WORDS, Asks, Port, Result, Says
from sensor.core.tools import MarkKind
from sensor.core.words import Enforcement, NameSource, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sensor.core.catalogue import Catalogue
    from sensor.core.facts import Address
    from sensor.core.policy.judge import Ruling
    from sensor.core.policy.model import Policy
    from sensor.core.proof.technique import Reach, Start, Technique
    from sensor.core.tools import Tool

ELSEWHERE = Target(name="elsewhere.example")
"""A name (RFC 2606) that nobody lets through who lets through what is listed alone."""

_STRANGE = (ip_network("198.51.100.0/24"), ip_network("2001:db8:51::/48"))
_MOST = 128
"""Targets that are looked at: a policy can have ten thousand."""

_WIDEST = 8
_SEEN = {
    Verdict.BLOCK: Result.REFUSED,
    Verdict.WOULD_BLOCK: Result.DETECTED,
    Verdict.ALERT: Result.DETECTED,
}
_BY_LOOKUP = {Asks.RESOLVER, Asks.ANOTHER}
"""Look-ups whose answers the kernel reads before who asked does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a technique is tried on: a tool by a mark of its own, or a destination.

    ``tools`` are the sessions that the attempt is made in; ``actor`` is a name of
    the innermost. ``by`` is how it is to be refused, None where it is not.
    """

    expected: Result
    rule: str
    by: Enforcement | None
    tool: str | None = None
    mark: str | None = None
    tools: tuple[str, ...] = ()
    actor: str | None = None
    name: str | None = None
    address: Address | None = None
    port: int = 0
    target_port: int = 0


class Aims:
    """Finds aims in a settled policy, for root in a cgroup. ``ways`` is how executions end."""

    def __init__(
        self, policy: Policy, catalogue: Catalogue, *, cgroup: str, now: datetime, by_name: str
    ) -> None:
        self._policy = policy
        self._severe = replace(
            policy,
            mode=Mode.ENFORCE,
            rules=tuple(replace(rule, mode=None) for rule in policy.rules),
        )
        self._catalogue = catalogue
        self._cgroup = cgroup
        self._now = now
        self._by_name = by_name

    def start(self, technique: Technique, way: Start) -> Aim | None:
        """Find a tool that is blocked and has the mark that is needed."""
        for tool in self._catalogue.tools:
            mark = _mark(tool, way.mark)
            severe = self._ruled(self._severe, tool)
            if mark is None or severe.verdict is not Verdict.BLOCK:
                continue
            ruling = self._ruled(self._policy, tool)
            by = Enforcement(self._by_name) if way.by_name else Enforcement.KILL
            return Aim(
                expected=_expected(technique, ruling),
                rule=ruling.rule_id, by=by, tool=tool.id, mark=mark,
            )  # fmt: skip
        return None

    def reach(self, technique: Technique, way: Reach, place: Address) -> Aim | None:
        """Find a destination that is refused; what is known by name lies at ``place``."""
        for tools, actor in self._actors:
            if way.in_session and not tools:
                continue
            for target in self._targets(way):
                aim = self._aimed(way, target, place)
                if aim and (found := self._foreseen(technique, way, tools, aim)):
                    return replace(found, tools=tools, actor=actor)
        return None

    @cached_property
    def _actors(self) -> list[tuple[tuple[str, ...], str | None]]:
        """Whoever is in no session, and the tools of rules that may run."""
        actors: list[tuple[tuple[str, ...], str | None]] = [((), None)]
        for tool in self._catalogue.tools:
            mark = _mark(tool, MarkKind.NAME)
            is_meant = any(tool.id in (r.condition.tools or ()) for r in self._policy.rules)
            if mark and is_meant and self._ruled(self._policy, tool).verdict is not Verdict.BLOCK:
                actors.append(((tool.id,), mark))
        return actors

    def _targets(self, way: Reach) -> Iterator[Target]:
        known = [target for rule in self._severe.rules for target in rule.targets]
        strange = [ELSEWHERE, *(Target(network=network) for network in _STRANGE)]
        for target in [*known[:_MOST], *self._severe.services, *strange]:
            if way.by_range and target.network and (target.network.version == 6) == way.ipv6:  # noqa: PLR2004 - IPv6
                yield target
            if not way.by_range and target.name:
                yield target

    @staticmethod
    def _aimed(way: Reach, target: Target, place: Address) -> Aim | None:
        address = _within(target.network) if target.network else place
        if address is None:
            return None
        name = target.name and (f"prove.{target.name}" if target.below else target.name)
        port = way.port.value
        if way.by_range or (way.port is Port.OTHER and target.port not in {None, 53, 443, 3128}):
            port = target.port or port
        return Aim(
            expected=Result.NOTHING, rule="", by=None, name=name, address=address, port=port,
            target_port=target.port or Port.TLS.value,
        )  # fmt: skip

    def _foreseen(
        self, technique: Technique, way: Reach, tools: tuple[str, ...], aim: Aim
    ) -> Aim | None:
        """Say what policy makes of it; None where there is nothing against it."""
        severe = self._said(self._severe, way, tools, aim)
        told = self._said(self._policy, way, tools, aim)
        if technique.blind:
            at_once = severe is not None and severe[1] is Enforcement.CGROUP
            if way.by_range or not at_once:
                whole = self._judge(self._severe, way, tools, aim, NameSource.SNI)
                if whole.verdict is not Verdict.BLOCK:
                    return None
                return replace(aim, expected=Result.MISSED, rule=whole.rule_id)
        if severe is None or told is None or severe[0].verdict is not Verdict.BLOCK:
            return None
        ruling, by = told
        return replace(aim, expected=_SEEN[ruling.verdict], rule=ruling.rule_id, by=by)

    def _said(
        self, policy: Policy, way: Reach, tools: tuple[str, ...], aim: Aim
    ) -> tuple[Ruling, Enforcement] | None:
        """Judge the connect, and then what it says, as far as anybody reads that."""
        source = NameSource.DNS if way.asks in _BY_LOOKUP else None
        ruling = self._judge(policy, way, tools, aim, source)
        is_open = source is NameSource.DNS and judge.is_left_to_hello(
            self._reach(way, tools, aim, source), ruling
        )
        if ruling.verdict in _SEEN and not is_open:
            return ruling, Enforcement.CGROUP
        if way.says not in BY_WORDS:
            return None
        if way.says is not Says.NAMELESS:
            source = NameSource.PROXY if way.says in {Says.CONNECT, Says.GET} else NameSource.SNI
        ruling = self._judge(policy, way, tools, aim, source)
        return (ruling, BY_WORDS[way.says]) if ruling.verdict in _SEEN else None

    def _judge(
        self, policy: Policy, way: Reach, tools: tuple[str, ...], aim: Aim,
        source: NameSource | None,
    ) -> Ruling:  # fmt: skip
        return judge.judge(policy, self._reach(way, tools, aim, source), self._now)

    def _reach(
        self, way: Reach, tools: tuple[str, ...], aim: Aim, source: NameSource | None
    ) -> judge.Reach:
        by_proxy = source in {NameSource.PROXY, NameSource.SNI} and way.port is Port.PROXY
        return judge.Reach(
            tools=tools,
            uid=0,
            cgroup=self._cgroup,
            address=None if by_proxy else aim.address,
            port=aim.target_port if by_proxy else aim.port,
            transport=Transport.UDP if way.udp else Transport.TCP,
            name=aim.name if source else None,
            name_source=source if aim.name else None,
        )

    def _ruled(self, policy: Policy, tool: Tool) -> Ruling:
        attempt = judge.Execution(tool=tool.id, uid=0, cgroup=self._cgroup)
        return judge.judge(policy, attempt, self._now)


def _expected(technique: Technique, ruling: Ruling) -> Result:
    if technique.blind:
        return Result.MISSED
    return Result.DETECTED if technique.late else _SEEN[ruling.verdict]


def _mark(tool: Tool, kind: MarkKind) -> str | None:
    """Give the first mark of a kind that the tool shares with nobody."""
    found = (mark.value for mark in tool.signs if mark.kind is kind and mark.is_sure)
    return next(found, None)


def _within(network: IPv4Network | IPv6Network) -> Address | None:
    """Give an address of a range that can be one of the scratch network's own."""
    if network.prefixlen < _WIDEST:
        network = next(one for one in _STRANGE if one.version == network.version)
    address = network[min(1, network.num_addresses - 1)]
    is_odd = address.is_multicast or address.is_unspecified or address.is_link_local
    return None if is_odd or (isinstance(address, IPv4Address) and address.is_reserved) else address
