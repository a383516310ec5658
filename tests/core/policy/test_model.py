# SPDX-License-Identifier: Apache-2.0
"""A policy's values, and what a host adds to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest
from support.policies import ACCOUNTS, CATALOGUE, LATER, known, read

from sensor.core.policy.model import (
    Condition,
    Mode,
    Policy,
    Rule,
    RuntimeBlock,
    Target,
    names,
    settled,
)
from sensor.core.policy.text import with_blocks
from sensor.core.words import Verdict

BODY = """
[[rule]]
id = "r"
tools = ["some-cli"]
users = ["alice", "7", "nobody-here"]
groups = ["dev", "no-group"]
verdict = "block"
[[exception]]
rule = "r"
users = ["bob"]
ticket = "T"
expires = 2027-02-01T00:00:00Z
[[rule]]
id = "s"
endpoints = ["some"]
cgroups = ["/build.slice"]
verdict = "block"
"""


@pytest.mark.parametrize("whole", Mode)
@pytest.mark.parametrize("own", [None, *Mode])
def test_a_rule_goes_no_further_than_the_whole(whole: Mode, own: Mode | None) -> None:
    """Of two modes the lower one holds, and says what a block comes to."""
    order = list(Mode)
    rule = Rule(id="r", verdict=Verdict.BLOCK, condition=Condition(), mode=own)
    policy = Policy(mode=whole, rules=(rule,))
    lower = order[min(order.index(whole), order.index(own or whole))]
    assert policy.mode_of(rule) is lower
    assert policy.in_effect(Verdict.BLOCK, rule).value == {
        Mode.OBSERVE: "alert", Mode.SHADOW: "would_block", Mode.ENFORCE: "block",
    }[lower]  # fmt: skip
    assert policy.in_effect(Verdict.ALLOW, rule) is Verdict.ALLOW
    assert policy.in_effect(Verdict.ALERT, rule) is Verdict.ALERT


def test_defaults_go_as_far_as_the_whole() -> None:
    """They have no mode of their own."""
    assert Policy(mode=Mode.SHADOW).in_effect(Verdict.BLOCK) is Verdict.WOULD_BLOCK


def test_a_host_adds_what_it_knows() -> None:
    """Uids of users and of members; a number is one; whom it does not know is nobody."""
    first, second = settled(read(BODY), ACCOUNTS, [ip_address("192.0.2.1")]).rules
    assert first.condition.uids == {7, 1000, 1002}
    assert first.exceptions[0].condition.uids == {1001}
    assert second.condition == read(BODY).rules[1].condition
    assert settled(read(BODY), ACCOUNTS, [ip_address("192.0.2.1")]).resolvers == {
        ip_address("192.0.2.1")
    }


def test_a_host_is_asked_for_names_alone() -> None:
    """Those of rules and of exceptions; a uid needs no account, and a gid does."""
    users, groups = names(read(BODY))
    assert users == {"alice", "nobody-here", "bob"}
    assert groups == {"dev", "no-group"}


def test_the_next_exception_to_end_is_the_first_after_a_time() -> None:
    """What has ended already does not end again."""
    end = datetime(2027, 2, 1, tzinfo=UTC)
    policy = read(BODY)
    assert policy.exception_ends(after=end - timedelta(seconds=1)) == end
    assert policy.exception_ends(after=end) is None
    assert read("").exception_ends(after=end) is None


def test_nobody_is_told_from_everybody() -> None:
    """A condition whose users are all unknown holds for nobody."""
    assert not Condition().names_users
    assert not Condition().is_nobodys
    assert Condition(users=("x",)).is_nobodys
    assert Condition(groups=("x",)).names_users
    assert not Condition(users=("x",), uids=frozenset({1})).is_nobodys


@pytest.mark.parametrize(
    ("body", "refuses", "names_hosts", "running"),
    [
        ('tools = ["*"]\nverdict = "block"', True, False, True),
        ('tools = ["*"]\nverdict = "alert"', False, False, True),
        ('tools = ["*"]\nverdict = "allow"\negress_only = ["192.0.2.1"]', True, False, True),
        ('tools = ["*"]\nverdict = "allow"\negress_only = ["x.test"]', True, True, True),
        ('endpoints = ["x.test"]\nverdict = "allow"', False, True, False),
        ('endpoints = ["192.0.2.1"]\nverdict = "block"', True, False, False),
    ],
)
def test_a_rule_knows_what_it_is_about(
    body: str, *, refuses: bool, names_hosts: bool, running: bool
) -> None:
    """Running or reaching, refusing or not, by name or not."""
    (rule,) = known(f'[[rule]]\nid = "r"\n{body}\n').rules
    assert (rule.refuses, rule.names_hosts, rule.is_about_running) == (
        refuses, names_hosts, running,
    )  # fmt: skip


def test_a_block_is_named_by_its_number() -> None:
    """As events and ``block ls`` show it."""
    assert RuntimeBlock(number=4, expires=LATER, ticket="T").id == "runtime-4"


def test_blocks_of_responders_are_no_rules_of_the_file() -> None:
    """They come before them, and are counted apart."""
    block = RuntimeBlock(number=1, expires=LATER, ticket="T", tools=("some-cli",))
    policy = with_blocks(read(BODY), [block], CATALOGUE)
    assert (policy.own_rules, policy.blocks, len(policy.rules)) == (2, 1, 3)
    assert (read(BODY).own_rules, read(BODY).blocks) == (2, 0)


def test_everything_is_neither_name_nor_address() -> None:
    """A port does not matter."""
    assert Target(port=25).is_everything
    assert not Target(name="x.test").is_everything
    assert not Target(network=ip_network("::/0")).is_everything
