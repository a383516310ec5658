# SPDX-License-Identifier: Apache-2.0
"""What responders block stands before all rules of the text, and is read as a rule is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.badpolicies import RULE
from support.policies import CATALOGUE, LATER, read

from sensor.core.policy import text
from sensor.core.policy.model import RuntimeBlock
from sensor.core.words import Verdict
from sensor.errors import BadInputError

ALL = frozenset({"some-cli", "other-cli", "some-ide"})
BELOW = f'{RULE}tools = ["some-cli"]\nverdict = "alert"'

BLOCKS = [
    (RuntimeBlock(number=1, expires=LATER, ticket="T", tools=("some-cli",)), ["some-cli"], 0),
    (RuntimeBlock(number=2, expires=LATER, ticket="T", endpoints=("x.test",)), None, 1),
    (RuntimeBlock(number=3, expires=LATER, ticket="T", users=("alice",)), sorted(ALL), 0),
    (RuntimeBlock(number=4, expires=LATER, ticket="T", groups=("dev",)), sorted(ALL), 0),
    (
        RuntimeBlock(
            number=5,
            expires=LATER,
            ticket="T",
            tools=("vendor:some",),
            endpoints=("some",),
            users=("1",),
        ),
        ["some-cli", "some-ide"],
        4,
    ),
]


@pytest.mark.parametrize(("block", "tools", "targets"), BLOCKS)
def test_runtime_blocks_come_before_all_rules(
    block: RuntimeBlock, tools: list[str] | None, targets: int
) -> None:
    """Who names users alone means all of their tools."""
    policy = text.with_blocks(read(BELOW), [block], CATALOGUE)
    rule = policy.rules[0]
    assert [one.id for one in policy.rules[1:]] == ["r"]
    assert (rule.id, rule.verdict, rule.place) == (block.id, Verdict.BLOCK, block.id)
    assert rule.condition.tools == (None if tools is None else frozenset(tools))
    assert len(rule.targets) == targets
    assert (rule.expires, rule.ticket) == (LATER, "T")


EMPTY = RuntimeBlock(number=7, expires=LATER, ticket="T")


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (EMPTY, "block: runtime-7: tools: is missing; name a tool, an endpoint or a user"),
        (replace(EMPTY, tools=("claude",)), "runtime-7: tools: 'claude' is no tool of the cat"),
        (replace(EMPTY, endpoints=("claude",)), "endpoints: 'claude' is no endpoint of the"),
        (replace(EMPTY, users=("a b",)), "runtime-7: users: 'a b' is not valid; write the name"),
    ],
)
def test_a_bad_block_is_refused(block: RuntimeBlock, why: str) -> None:
    """As a rule would be."""
    with pytest.raises(BadInputError) as caught:
        text.with_blocks(read(""), [block], CATALOGUE)
    assert why in str(caught.value)
