# SPDX-License-Identifier: Apache-2.0
"""Contradictions: what cannot stand in one rule is refused with the key that has to go."""

from __future__ import annotations

import pytest

from sensor.core.entries import Entry
from sensor.core.policy.contradictions import refuse_contradictions
from sensor.core.policy.model import Condition, Rule
from sensor.core.words import UNKNOWN_CLIENT, Verdict
from sensor.errors import BadInputError

ENTRY = Entry("p.toml:1", "rule", {})
ANYBODY = Condition()
STRANGERS = Condition(tools=frozenset({UNKNOWN_CLIENT}))
RISKY = Condition(risk=("proxied",))


def rule(
    condition: Condition = ANYBODY, *, verdict: Verdict = Verdict.BLOCK,
    tools: tuple[str, ...] = ("x",), endpoints: tuple[str, ...] = (), confines: bool = False,
) -> Rule:  # fmt: skip
    """Write a rule."""
    return Rule(
        id="r", verdict=verdict, condition=condition, tools=tools, endpoints=endpoints,
        egress_only=() if confines else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "key"),
    [
        (rule(tools=()), "tools: is missing"),
        (rule(STRANGERS), "tools: 'unknown-client' is known by what it reaches"),
        (rule(RISKY, endpoints=("e",)), "risk: is known of a run alone"),
        (rule(RISKY, verdict=Verdict.ALERT, confines=True), "risk: is known of a run alone"),
        (rule(RISKY, verdict=Verdict.ALLOW), "risk: is known of a run alone"),
        (
            rule(endpoints=("e",), verdict=Verdict.ALLOW, confines=True),
            "egress_only: stands beside",
        ),
        (rule(confines=True), "egress_only: is for tools that may run"),
    ],
)
def test_what_cannot_be_said_at_once_is_refused(bad: Rule, key: str) -> None:
    """The error names the key."""
    with pytest.raises(BadInputError, match=key):
        refuse_contradictions(ENTRY, bad)


@pytest.mark.parametrize(
    "good",
    [
        rule(),
        rule(STRANGERS, endpoints=("e",)),
        rule(RISKY),
        rule(verdict=Verdict.ALLOW, confines=True),
    ],
)
def test_what_can_be_said_is_left_alone(good: Rule) -> None:
    """No more is refused than has to be."""
    refuse_contradictions(ENTRY, good)
