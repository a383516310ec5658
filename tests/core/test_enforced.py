# SPDX-License-Identifier: Apache-2.0
"""A policy in force answers what the engine cannot leave to the kernel."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from support.story import RESOLVER, SECOND, enforced

from sensor.core.enforced import message
from sensor.core.judgment import Judgment
from sensor.core.policy.judge import Execution, Reach
from sensor.core.words import Verdict

BLOCK = 'mode = "enforce"\n[[rule]]\nid = "no"\ntools = ["codex"]\nverdict = "block"\n'
ALLOW = '[defaults]\nunknown_client = "allow"\n'
BY_NAME = '[[rule]]\nid = "no"\nendpoints = ["a.test"]\nverdict = "block"\n'
NOON_NS = 1_795_442_400 * SECOND  # 2026-11-23T14:00:00Z
CODEX = Execution(tool="codex", uid=1000)


@pytest.mark.parametrize(("text", "kills"), [(BLOCK, False), (f'{BLOCK}running = "kill"\n', True)])
def test_an_attempt_is_judged_by_its_rules(text: str, *, kills: bool) -> None:
    """With the word on what runs already."""
    said = Judgment(verdict=Verdict.BLOCK, rule="no")
    assert enforced(text).judge(CODEX, NOON_NS) == (said, kills)


def test_what_no_rule_names_is_judged_by_the_default() -> None:
    """Nothing that runs is ended for it."""
    said = Judgment(verdict=Verdict.ALERT)
    assert enforced("").judge(CODEX, NOON_NS) == (said, False)


def test_an_exception_ends_by_the_wall_clock() -> None:
    """A second later, the rule is back."""
    exception = (
        '[[exception]]\nrule = "no"\nusers = ["alice"]\nticket = "T-1"\nreason = "trial"\n'
        "expires = 2026-11-23T14:00:01Z\n"
    )
    policy = enforced(BLOCK + exception)
    verdicts = [policy.judge(CODEX, NOON_NS + later)[0].verdict for later in (0, SECOND)]
    assert verdicts == [Verdict.ALERT, Verdict.BLOCK]


def test_a_rule_is_told_by_its_number() -> None:
    """With what it says to people, where it says anything."""
    policy = enforced(f'{BLOCK}message = "Use qwen."\n')
    assert policy.told(0) == ("no", "Use qwen.")
    assert policy.told(1) is None
    assert enforced(BLOCK).told(0) == ("no", None)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({}, "ticket T-1"),
        ({"reason": "leak"}, "ticket T-1: leak"),
        ({"message": "Use qwen."}, "Use qwen., ticket T-1"),
        ({"message": "Use qwen.", "reason": "leak"}, "Use qwen., ticket T-1"),
        ({"ticket": None, "reason": "leak"}, "leak"),
        ({"ticket": None}, None),
    ],
)
def test_a_block_names_its_ticket(words: dict[str, str | None], says: str | None) -> None:
    """Before what it says to responders, and behind what it says to who is blocked."""
    [rule] = enforced(BLOCK).policy.rules
    assert message(replace(rule, **{"ticket": "T-1", **words})) == says  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (ALLOW, False),
        ("", True),
        (f"{ALLOW}{BY_NAME}", True),
    ],
)
def test_a_policy_judges_names_if_a_rule_or_a_default_does(text: str, *, names: bool) -> None:
    """Unknown clients are known by what they reach."""
    assert enforced(text).judges_names is names


def test_the_host_s_resolvers_are_trusted() -> None:
    """In whichever form their address comes."""
    policy = enforced("")
    assert policy.trusts(RESOLVER)
    assert policy.trusts(ip_address(f"::ffff:{RESOLVER}"))
    assert not policy.trusts(ip_address("192.0.2.54"))
    assert not policy.trusts(None)


RISKY = (
    'mode = "enforce"\n[[rule]]\nid = "r"\ntools = ["*"]\nrisk = ["proxied"]\nverdict = "block"\n'
)


@pytest.mark.parametrize(
    ("text", "risk", "minds"),
    [
        (RISKY, ("proxied",), True),
        (RISKY, ("unguarded",), False),
        (RISKY, (), False),
        (BLOCK + RISKY.removeprefix('mode = "enforce"\n'), ("proxied",), False),
    ],
)
def test_whether_risk_decides_is_told(text: str, risk: tuple[str, ...], *, minds: bool) -> None:
    """Where it does, the kernel's word is not the last."""
    attempt = replace(CODEX, risk=frozenset(risk))
    assert enforced(text).minds_risk(attempt, NOON_NS) is minds


def test_whether_a_name_could_make_a_difference_is_told() -> None:
    """Where it could not, a connection is refused whatever it was called."""
    refused = '[[rule]]\nid = "no"\nendpoints = ["192.0.2.0/24"]\nverdict = "block"\n'
    allowed = '[[rule]]\nid = "ok"\nendpoints = ["a.test"]\nverdict = "allow"\n'
    confined = '[[rule]]\nid = "in"\ntools = ["codex"]\nverdict = "allow"\negress_only = '
    reach = Reach(tools=("codex",), uid=1000, address=ip_address("192.0.2.1"), port=443)
    rows = {
        refused: False,
        refused + allowed: False,
        allowed + refused: True,
        f'{confined}["192.0.2.9"]\n': False,
        f'{confined}["192.0.2.9"]\n{allowed}': False,
        f'{confined}["a.test"]\n': True,
        allowed: True,
    }
    for text, hangs in rows.items():
        assert enforced(text).hangs_on_name(reach, NOON_NS) is hangs, text
