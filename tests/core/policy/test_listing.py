# SPDX-License-Identifier: Apache-2.0
"""A policy is shown with all that it comes to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.policies import LATER, NOW, known, read

from sensor.core.policy.listing import as_dict, lines, remaining

BODY = """
[dns]
resolvers = ["192.0.2.1"]
[[rule]]
id = "first"
tools = ["some-cli", "category:ide-agent"]
users = ["alice", "carol"]
groups = ["dev"]
cgroups = ["/build.slice"]
container = false
paths = ["/opt/my corp"]
verdict = "block"
mode = "shadow"
message = "Ask: https://wiki.example"
running = "kill"
when_full = "closed"
[[exception]]
rule = "first"
users = ["bob"]
ticket = "SEC-1"
reason = "trial"
expires = 2027-02-01T00:00:00Z
[[exception]]
rule = "first"
container = true
ticket = "SEC-2"
expires = 2027-01-15T12:00:00Z
[[rule]]
id = "second"
tools = ["other-cli"]
verdict = "allow"
egress_only = ["llm.test"]
[[rule]]
id = "third"
endpoints = ["some"]
verdict = "block"
"""
SHOWN = """\
enforce; tools that no rule names: alert; unknown clients of AI services: alert

  1  first: block, shadow
     tools       some-cli, category:ide-agent
     for         users alice, carol; groups dev; 2 uids known here; cgroups /build.slice; \
outside of containers; below "/opt/my corp"
     running     kill
     when full   closed
     message     "Ask: https://wiki.example"
     exception   users bob; 1 uid known here; until 2027-02-01T00:00:00+00:00 (16 days left), \
SEC-1, trial
     exception   in a container; until 2027-01-15T12:00:00+00:00 (ended), SEC-2

  2  second: allow, enforce
     tools       other-cli
     egress only llm.test

  3  third: block, enforce
     endpoints   some"""


def test_a_policy_is_shown_rule_by_rule() -> None:
    """With what holds for whom, and how long."""
    assert "\n".join(lines(known(BODY), NOW)) == SHOWN


def test_a_runtime_block_is_shown_with_its_end() -> None:
    """And with its ticket, which is text of somebody's."""
    (rule,) = read('[[rule]]\nid = "r"\ntools = ["*"]\nverdict = "block"').rules
    block = replace(rule, expires=LATER, ticket="a\x1b", reason=None)
    shown = list(lines(replace(known(""), rules=(block,)), NOW))
    assert shown[-1] == '     until       2027-01-15T13:00:00+00:00 (1 h 0 min left), "a\\x1b"'
    told = as_dict(replace(known(""), rules=(block,)), NOW)["rules"]
    assert isinstance(told, list)
    assert (told[0]["expires"], told[0]["ticket"]) == ("2027-01-15T13:00:00+00:00", "a\x1b")


def test_a_policy_is_plain_values() -> None:
    """Absent is None; uids are there where users matter."""
    told = as_dict(known(BODY), NOW)
    assert told["mode"] == "enforce"
    assert told["defaults"] == {
        "tool": "alert", "unknown_client": "alert", "audit_on": None, "high_risk": None,
    }  # fmt: skip
    assert told["resolvers"] == ["192.0.2.1", "192.0.2.53"]
    rules = told["rules"]
    assert isinstance(rules, list)
    first, second, third = rules
    assert first["uids"] == [1000, 1002]
    assert [one["active"] for one in first["exceptions"]] == [True, False]
    assert (first["egress_only"], second["egress_only"]) == (None, ["llm.test"])
    assert (third["uids"], third["mode"], third["place"]) == (None, "enforce", "p.toml:36")
    assert (third["expires"], third["ticket"]) == (None, None)


def test_audits_are_shown_where_the_policy_asks_for_them() -> None:
    """With the tools that its words come to."""
    risky = read('[defaults]\naudit_on = "high-risk"\nhigh_risk = ["vendor:some"]')
    always = read('[defaults]\naudit_on = "alert"')
    assert [list(lines(one, NOW))[1:] for one in (risky, always)] == [
        ["audits of users' homes: high-risk (some-cli, some-ide)"],
        ["audits of users' homes: alert"],
    ]
    told = as_dict(risky, NOW)["defaults"]
    assert isinstance(told, dict)
    assert (told["audit_on"], told["high_risk"]) == ("high-risk", ["some-cli", "some-ide"])


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(days=-1), "ended"),
        (timedelta(), "ended"),
        (timedelta(seconds=90), "1 min 30 s left"),
        (timedelta(hours=47), "47 h 0 min left"),
        (timedelta(days=2), "2 days left"),
        (timedelta(days=400, hours=23), "400 days left"),
    ],
)
def test_what_is_left_is_a_few_words(left: timedelta, text: str) -> None:
    """Hours up to two days, days beyond."""
    assert remaining(NOW + left, NOW) == text


def test_risk_is_shown_as_what_a_rule_is_for() -> None:
    """Also in plain values."""
    policy = known('[[rule]]\nid = "r"\ntools = ["*"]\nrisk = ["unguarded"]\nverdict = "block"')
    assert "     for         runs that are unguarded" in list(lines(policy, NOW))
    told = as_dict(policy, NOW)["rules"]
    assert isinstance(told, list)
    assert told[0]["risk"] == ["unguarded"]
