# SPDX-License-Identifier: Apache-2.0
"""Policies in force, in few words, and what the kernel says by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.enforced import Enforced
from sensor.core.facts import Ruled
from sensor.core.policy.model import Accounts, settled
from sensor.core.policy.text import parse
from sensor.core.words import Enforcement, Verdict
from support.made_up import CATALOGUE, RESOLVER

if TYPE_CHECKING:
    from sensor.core.policy.model import Policy, Rule


def ruling(
    verdict: Verdict | None = Verdict.BLOCK,
    enforcement: Enforcement = Enforcement.NONE,
    *,
    rule: int = 0,
    policy: int = 1,
) -> Ruled:
    """Say what the kernel said, by the first rule of the first policy unless told otherwise."""
    return Ruled(policy, rule, verdict, enforcement)


@dataclass(frozen=True, slots=True)
class Numbers:
    """A policy of which the kernel numbers the rules as they stand."""

    policy: Policy

    def rule_at(self, index: int) -> Rule | None:
        """Count from the first."""
        return self.policy.rules[index] if index < len(self.policy.rules) else None


def enforced(text: str, *, generation: int = 1, domains: dict[int, str] | None = None) -> Enforced:
    """Return a policy in force, enforced unless it begins with another mode.

    The resolver of all stories is one that the host trusts.
    """
    mode = "" if text.startswith("mode") else 'mode = "enforce"'
    policy = parse(f"version = 1\n{mode}\n{text}", where="policy.toml", catalogue=CATALOGUE)
    return Enforced(
        generation=generation,
        source="policy.toml",
        tables=Numbers(settled(policy, Accounts({"alice": 1000}, {}), [RESOLVER])),
        domains=domains or {},
    )
