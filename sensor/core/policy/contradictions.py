# SPDX-License-Identifier: Apache-2.0
"""Contradictions: what a rule cannot say at once, each with what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.words import UNKNOWN_CLIENT, Verdict

if TYPE_CHECKING:
    from sensor.core.entries import Entry
    from sensor.core.policy.model import Rule


def refuse_contradictions(entry: Entry, rule: Rule) -> None:
    """Raise BadInputError with the key and the remedy; ``entry`` is the text of the rule."""
    if not rule.tools and not rule.endpoints:
        raise entry.wrong("tools", "is missing", "write tools, endpoints or both")
    condition = rule.condition
    if condition.tools and UNKNOWN_CLIENT in condition.tools and not rule.endpoints:
        raise entry.wrong(
            "tools", f"{UNKNOWN_CLIENT!a} is known by what it reaches", "write endpoints as well"
        )
    if condition.risk and (rule.endpoints or rule.confines or rule.verdict is Verdict.ALLOW):
        raise entry.wrong(
            "risk",
            "is known of a run alone, a moment after it has begun",
            'leave endpoints and egress_only out, and write verdict = "alert" or "block"',
        )
    if rule.confines and rule.endpoints:
        raise entry.wrong("egress_only", "stands beside endpoints", "leave one of them out")
    if rule.confines and rule.verdict is Verdict.BLOCK:
        raise entry.wrong(
            "egress_only",
            "is for tools that may run",
            'write verdict = "allow" or "alert", or leave it out',
        )
