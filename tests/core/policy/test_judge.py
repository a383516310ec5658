# SPDX-License-Identifier: Apache-2.0
"""A policy says of each attempt what its text says: a table, one row a case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support.attempts import (
    BLOCK,
    CLI,
    CONFINED,
    DNS,
    ONE_TOOL,
    PROXY,
    REACHING,
    RUNNING,
    SNI,
    UDP,
    exception,
    rule,
    runs,
    to,
)
from support.policies import LATER, NOW, known
from support.rulings import CASES

from sensor.core.policy.judge import Basis, is_left_to_hello, judge

if TYPE_CHECKING:
    from sensor.core.policy.judge import Execution, Reach


@pytest.mark.parametrize(("body", "mode", "attempt", "verdict", "by"), CASES)
def test_a_policy_says(
    body: str, mode: str, attempt: Execution | Reach, verdict: str, by: str
) -> None:
    """The verdict and the rule."""
    policy = known(body, mode)
    ruling = judge(policy, attempt, NOW)
    assert (ruling.verdict.value, ruling.rule_id) == (verdict, by)
    assert ruling.rule in {None, *policy.rules}
    assert (ruling.rule.id if ruling.rule else None) == (None if by in {"default", "quic"} else by)


@pytest.mark.parametrize(("mode", "refused"), [("shadow", "would_block"), ("observe", "alert")])
@pytest.mark.parametrize(
    ("body", "attempt", "verdict", "by"),
    [
        (body, attempt, verdict, by)
        for body, mode, attempt, verdict, by in CASES
        if mode == "enforce" and by != "quic" and "mode" not in body
    ],
)
def test_a_policy_that_is_not_enforced_refuses_nothing(
    body: str, attempt: Execution | Reach, verdict: str, by: str, *, mode: str, refused: str
) -> None:
    """What won still wins."""
    ruling = judge(known(body, mode), attempt, NOW)
    assert ruling.verdict.value == (refused if verdict == "block" else verdict)
    assert ruling.rule_id == by


@pytest.mark.parametrize(
    ("attempt", "basis", "confines"),
    [
        (to("192.0.2.7:443", name="www.some.example"), Basis.ADDRESS, False),
        (to("198.51.100.1:443", name="www.some.example"), Basis.NAME, False),
        (to("198.51.100.1:443", CLI), Basis.NOTHING, False),
        (runs(), Basis.TOOL, False),
    ],
)
def test_a_ruling_says_what_it_rests_on(
    attempt: Execution | Reach, basis: Basis, *, confines: bool
) -> None:
    """An address is firmer ground than a name."""
    ruling = judge(known(REACHING), attempt, NOW)
    assert (ruling.basis, ruling.confines) == (basis, confines)


def test_a_confined_tool_is_told_so() -> None:
    """What it may not reach is refused by what confines it."""
    said = judge(known(CONFINED), to("198.51.100.1:443", CLI), NOW)
    assert (said.confines, said.basis) == (True, Basis.TOOL)
    assert not judge(known(CONFINED), to("10.20.1.1:443", CLI), NOW).confines


@pytest.mark.parametrize(
    ("reach", "is_left"),
    [
        (to("198.51.100.1:443", name="www.some.example", by=DNS), True),
        (to("198.51.100.1:443", name="api.some.example", by=DNS), True),
        (to("198.51.100.1:8443", name="www.some.example", by=DNS), False),
        (to("198.51.100.1:443", name="www.some.example", by=DNS, transport=UDP), False),
        (to("198.51.100.1:443", name="www.some.example", by=SNI), False),
        (to(":443", name="www.some.example", by=PROXY), False),
        (to("192.0.2.7:443", name="www.some.example", by=DNS), False),
        (to("198.51.100.1:443"), False),
    ],
)
def test_a_shared_address_is_left_to_the_hello(reach: Reach, *, is_left: bool) -> None:
    """On TCP 443, where nothing but a name from DNS decides."""
    assert is_left_to_hello(reach, judge(known(REACHING), reach, NOW)) is is_left


def test_a_running_rule_is_left_to_nothing() -> None:
    """Whatever the name is."""
    reach = to("198.51.100.1:443", CLI, name="www.some.example")
    assert not is_left_to_hello(reach, judge(known(RUNNING), reach, NOW))


def test_an_exception_ends_on_time() -> None:
    """It holds before its end, and not at it."""
    policy = known(RUNNING + exception("no", "container = false"))
    before = judge(policy, runs(), LATER - timedelta(microseconds=1))
    assert before.rule_id == "default"
    assert judge(policy, runs(), LATER).rule_id == "no"


def test_a_runtime_block_ends_on_time() -> None:
    """Likewise; by name it refuses QUIC until policy is written anew."""
    policy = known(rule("no", ONE_TOOL, 'endpoints = ["x.test"]', BLOCK))
    ending = replace(policy, rules=(replace(policy.rules[0], expires=LATER),))
    reach = to("198.51.100.1:443", CLI, name="x.test", by=SNI)
    assert judge(ending, reach, LATER - timedelta(microseconds=1)).rule_id == "no"
    assert judge(ending, reach, LATER).rule_id == "default"
    assert judge(ending, replace(reach, transport=UDP), LATER).rule_id == "quic"


RISKY = rule("guarded", 'tools = ["*"]', 'risk = ["unguarded", "redirected"]', BLOCK)
STRANGERS = rule("ours", 'tools = ["unknown-client"]', 'endpoints = ["some"]', 'verdict = "allow"')


@pytest.mark.parametrize(
    ("risk", "verdict"), [((), "alert"), (("proxied",), "alert"), (("unguarded",), "block")]
)
def test_a_rule_about_risk_is_about_runs_that_have_it(risk: tuple[str, ...], verdict: str) -> None:
    """Any of its words will do."""
    policy = known(RISKY)
    assert judge(policy, replace(runs(), risk=frozenset(risk)), NOW).verdict.value == verdict


def test_a_rule_about_risk_says_nothing_of_connections() -> None:
    """What it refuses is ended, and reaches nothing by that."""
    assert judge(known(RISKY), to("192.0.2.1:443", CLI), NOW).rule is None


def test_a_rule_about_unknown_clients_is_about_who_is_in_no_session() -> None:
    """Sessions reach the same by other rules."""
    policy = known(STRANGERS)
    stranger = judge(policy, to("192.0.2.1:443", name="www.some.example"), NOW)
    assert (stranger.rule_id, stranger.verdict.value) == ("ours", "allow")
    assert judge(policy, to("192.0.2.1:443", CLI, name="www.some.example"), NOW).rule is None
