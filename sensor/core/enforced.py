# SPDX-License-Identifier: Apache-2.0
"""A policy in force, as the engine asks it: whose rule a number is, and what it makes of whom.

The kernel judges what it sees as it happens. Asked here is about what it cannot
know: what user space alone recognises, and what ran or was open before.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from sensor.core.judgment import Judgment
from sensor.core.policy.judge import DEFAULT, judge, plain
from sensor.core.policy.model import Running
from sensor.core.words import TICKET, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sensor.core.facts import Address
    from sensor.core.policy.judge import Execution, Reach, Ruling
    from sensor.core.policy.model import Policy, Rule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_US = 1000


class Numbered(Protocol):
    """What the kernel's tables were made of: a settled policy, its rules by their numbers."""

    @property
    def policy(self) -> Policy:
        """The policy, with this host's accounts and resolvers."""

    def rule_at(self, index: int) -> Rule | None:
        """Give the rule behind a number of the kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforced:
    """One generation of policy. ``source`` is the file that it was read from.

    ``domains`` are the names in ``tables`` by the hashes that the kernel tells.
    """

    generation: int
    source: str
    tables: Numbered
    domains: Mapping[int, str] = field(default_factory=dict)

    @property
    def policy(self) -> Policy:
        """The policy itself."""
        return self.tables.policy

    @property
    def judges_names(self) -> bool:
        """Whether anything in it goes by the name of what is reached."""
        policy = self.policy
        return policy.unknown_client is not Verdict.ALLOW or any(
            rule.names_hosts for rule in policy.rules
        )

    def trusts(self, resolver: Address | None) -> bool:
        """Tell whether the host is configured with a resolver."""
        return resolver is not None and plain(resolver) in self.policy.resolvers

    def told(self, index: int) -> tuple[str, str | None] | None:
        """Give the id of a rule by its number, and what it says to people."""
        rule = self.tables.rule_at(index)
        return (rule.id, message(rule)) if rule else None

    def minds_risk(self, attempt: Execution, wall_ns: int) -> bool:
        """Tell whether it says what it says for what is dangerous about a run.

        The kernel has not judged by that: it does not know.
        """
        if not attempt.risk:
            return False
        harmless = replace(attempt, risk=frozenset())
        return self.judge(attempt, wall_ns) != self.judge(harmless, wall_ns)

    def judge(self, attempt: Execution | Reach, wall_ns: int) -> tuple[Judgment, bool]:
        """Say what it makes of an attempt, and whether what runs already is to be ended for it."""
        ruling = self._ruling(attempt, wall_ns)
        said = Judgment(
            verdict=ruling.verdict,
            rule=ruling.rule_id or DEFAULT,
            reason=message(ruling.rule) if ruling.rule else None,
        )
        return said, bool(ruling.rule and ruling.rule.running is Running.KILL)

    def hangs_on_name(self, reach: Reach, wall_ns: int) -> bool:
        """Tell whether an attempt without a name might be judged otherwise with one."""
        ruling, rules = self._ruling(reach, wall_ns), self.policy.rules
        if ruling.rule is None:  # the default, or the rule `quic`, which is about names
            return True
        before = rules[: rules.index(ruling.rule) + ruling.confines]
        return any(rule.names_hosts for rule in before)

    def _ruling(self, attempt: Execution | Reach, wall_ns: int) -> Ruling:
        now = _EPOCH + timedelta(microseconds=wall_ns // _NS_PER_US)
        return judge(self.policy, attempt, now)


def message(rule: Rule) -> str | None:
    """Give what a rule says to whoever is blocked; a runtime block names its ticket.

    First where it has no message: its reason alone says to nobody what was refused.
    """
    if not rule.ticket:
        return rule.message or rule.reason
    ticket = f"{TICKET}{rule.ticket}"
    if rule.message:
        return f"{rule.message}, {ticket}"
    return f"{ticket}: {rule.reason}" if rule.reason else ticket
