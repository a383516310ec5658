# SPDX-License-Identifier: Apache-2.0
"""Judgments: what policy said of an attempt, by which rule, and what was done about it."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sensor.core.facts import RULE_CANARY, RULE_DEFAULT, RULE_FULL, RULE_QUIC
from sensor.core.words import Enforcement, Verdict

if TYPE_CHECKING:
    from sensor.core.enforced import Enforced
    from sensor.core.facts import Ruled
    from sensor.core.former import Former

GENERATIONS = 2
"""Policies remembered: records by the one before can come after the new one is in force."""

DEFAULT_RULE = "default"
"""The rule of what no rule names."""

WAS_OVER = "it had ended when it was known for what it was"
"""Said of whom it came too late for, behind what the rule says."""

RAN_ALREADY = "it ran already: from now on its connections are refused"
"""Said where a rule leaves what runs running, and has no words of its own."""

LEFT_ALONE = "it ran already, and the default is for what starts"
"""Said where no rule names a tool that the default blocks."""

SAYS_KILL = f" says {Enforcement.KILL.value}: "
"""Said behind the event that an event puts right, and before why."""

_NO_TEXT = {
    RULE_DEFAULT: DEFAULT_RULE,
    RULE_QUIC: "quic",
    RULE_CANARY: "canary",
    RULE_FULL: "full",
}
_UNDOES = re.compile(rf"event [0-9]+{SAYS_KILL}", re.ASCII)
_REASONS = {
    RULE_QUIC: "names are judged on TCP port 443, which QUIC would go past",
    RULE_FULL: "the kernel has no room to follow it, and a rule of its fails closed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """A verdict with its rule, None where that is not known any more.

    ``reason`` is what the rule says to people, or why there is no rule.
    """

    verdict: Verdict
    rule: str | None = DEFAULT_RULE
    enforcement: Enforcement = Enforcement.NONE
    reason: str | None = None

    @property
    def is_refused(self) -> bool:
        """Whether what was attempted was kept from happening, or ended."""
        return self.verdict is Verdict.BLOCK and self.enforcement is not Enforcement.NONE


def too_late(said: Judgment) -> Judgment:
    """Say of whoever has ended by itself that nobody was ended."""
    reason = "; ".join(filter(None, (said.reason, WAS_OVER)))
    return replace(said, enforcement=Enforcement.NONE, reason=reason)


def parted(rule: str | None, reason: str | None) -> tuple[str | None, str | None]:
    """Part what a rule says to people from what the sensor says, or adds to it; None for none."""
    if reason is None:
        return None, None
    if rule is None or rule in _NO_TEXT.values() or reason == RAN_ALREADY or _UNDOES.match(reason):
        return None, reason
    message, _, added = reason.rpartition("; ")
    return (message or None, added) if added == WAS_OVER else (reason, None)


TOOL_STARTS = Judgment(verdict=Verdict.ALERT)
"""What a tool's start is without a policy."""

ALLOWED = Judgment(verdict=Verdict.ALLOW)
"""What a session's doings are where nothing is said of them."""


class Rulebook:
    """The policy in force and the one before it: numbers in rulings become rules."""

    def __init__(self) -> None:
        self.in_force: Enforced | None = None
        self._known: OrderedDict[int, Enforced | Former] = OrderedDict()

    def enter(self, enforced: Enforced | None) -> None:
        """Put a policy in force, or none; the one before is still known."""
        self.in_force = enforced
        if enforced is not None:
            self.remember(enforced)

    def remember(self, known: Enforced | Former) -> None:
        """Know a policy by which rulings were made, whether it is in force or not."""
        self._known[known.generation] = known
        self._known.move_to_end(known.generation)
        while len(self._known) > GENERATIONS:
            self._known.popitem(last=False)

    def said(self, ruled: Ruled | None) -> Judgment | None:
        """Give what the kernel said, None where it said nothing."""
        if ruled is None or ruled.verdict is None:
            return None
        rule, reason = self._rule(ruled)
        return Judgment(
            verdict=ruled.verdict,
            rule=rule,
            enforcement=ruled.enforcement,
            reason=None if ruled.verdict is Verdict.ALLOW else reason,
        )

    def domain(self, ruled: Ruled | None, domain: int) -> str | None:
        """Give the suffix by which a name was judged, None where none was."""
        enforced = self._known.get(ruled.policy) if ruled else None
        return enforced.domains.get(domain) if enforced else None

    def _rule(self, ruled: Ruled) -> tuple[str | None, str | None]:
        if ruled.rule in _NO_TEXT:
            return _NO_TEXT[ruled.rule], _REASONS.get(ruled.rule)
        enforced = self._known.get(ruled.policy)
        if enforced is None:
            return None, f"policy {ruled.policy} said so, which is not known any more"
        found = enforced.told(ruled.rule)
        if found is None:
            return None, f"policy {ruled.policy} has no rule of number {ruled.rule}"
        return found


def is_canary(ruled: Ruled | None) -> bool:
    """Tell whether this is the sensor's own proof that it enforces, and no event."""
    return ruled is not None and ruled.rule == RULE_CANARY
