# SPDX-License-Identifier: Apache-2.0
"""What each technique is tried on under a policy, and what is expected of it."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import pytest

from sensor.core.policy.text import parse
from sensor.core.proof.aim import Aim, Aims, _within
from sensor.core.proof.technique import Reach, Result, Start
from sensor.core.proof.techniques import TECHNIQUES
from sensor.core.words import Enforcement
from sensor.daemon.catalogues import catalogue

KNOWN = catalogue()
BY_ID = {one.id: one for one in TECHNIQUES}
PLACE = ip_address("192.0.2.10")
NOW = datetime(2027, 1, 15, 12, tzinfo=UTC)
TOOLS = '[[rule]]\nid = "no"\ntools = ["claude-code", "aider"]\nverdict = "block"\n'
NAMES = (
    '[[rule]]\nid = "names"\nendpoints = ["blocked.example", "203.0.113.0/24", '
    '"2001:db8:7::/48"]\nverdict = "block"\n'
)
INSIDE = (
    '[[rule]]\nid = "inside"\ntools = ["qwen-code"]\nverdict = "allow"\n'
    'egress_only = ["llm.corp.example:443"]\n'
)
ALL = TOOLS + INSIDE + NAMES
REFUSED, DETECTED, MISSED = Result.REFUSED, Result.DETECTED, Result.MISSED


def aim(technique: str, rules: str, mode: str = "enforce", by_name: str = "lsm") -> Aim | None:
    """Find the aim of a technique under a policy."""
    policy = parse(f'version = 1\nmode = "{mode}"\n{rules}', where="test", catalogue=KNOWN)
    aims = Aims(policy, KNOWN, cgroup="/scratch", now=NOW, by_name=by_name)
    one = BY_ID[technique]
    match one.way:
        case Start():
            return aims.start(one, one.way)
        case Reach():
            return aims.reach(one, one.way, PLACE)


@pytest.mark.parametrize(
    ("technique", "expected", "by"),
    [
        ("plain", REFUSED, Enforcement.LSM),
        ("module", REFUSED, Enforcement.KILL),
        ("loader", REFUSED, Enforcement.KILL),
        ("loader-flag", DETECTED, Enforcement.KILL),
        ("renamed-program", DETECTED, Enforcement.KILL),
        ("renamed-script", DETECTED, Enforcement.KILL),
        ("renamed-copy", MISSED, Enforcement.LSM),
        ("connect", REFUSED, Enforcement.CGROUP),
        ("ipv6", REFUSED, Enforcement.CGROUP),
        ("raw-socket", MISSED, None),
        ("resolve-connect", REFUSED, Enforcement.CGROUP),
        ("hello", REFUSED, Enforcement.TLS),
        ("hard-coded", REFUSED, Enforcement.TLS),
        ("hard-coded-plain", MISSED, None),
        ("no-sni", REFUSED, Enforcement.TLS),
        ("fronting", MISSED, None),
        ("quic", REFUSED, Enforcement.CGROUP),
        ("proxy-connect", REFUSED, Enforcement.PROXY),
        ("double-fork", REFUSED, Enforcement.CGROUP),
    ],
)
def test_what_is_expected_follows_from_the_policy(
    technique: str, expected: Result, by: Enforcement | None
) -> None:
    """And so does the way by which it is refused."""
    found = aim(technique, ALL)
    assert found
    assert (found.expected, found.by) == (expected, by)


@pytest.mark.parametrize("mode", ["shadow", "observe"])
@pytest.mark.parametrize("technique", ["plain", "connect", "resolve-connect", "hello", "child"])
def test_what_is_not_enforced_is_to_be_detected(technique: str, mode: str) -> None:
    """On the same aims."""
    found, enforced = aim(technique, ALL, mode), aim(technique, ALL)
    assert found
    assert enforced
    assert found.expected is DETECTED
    assert (found.name, found.address, found.mark) == (
        enforced.name, enforced.address, enforced.mark,
    )  # fmt: skip


@pytest.mark.parametrize("technique", BY_ID)
def test_a_policy_that_blocks_nothing_has_nothing_to_prove(technique: str) -> None:
    """Whatever the technique."""
    assert aim(technique, '[[rule]]\nid = "no"\ntools = ["*"]\nverdict = "alert"\n') is None


def test_a_rule_for_others_is_not_proved() -> None:
    """Attempts are root's."""
    rule = TOOLS + 'users = ["1000"]\n'
    assert aim("plain", rule) is None


@pytest.mark.parametrize("technique", ["renamed-program", "renamed-script"])
def test_what_is_known_by_texts_needs_a_tool_that_has_some(technique: str) -> None:
    """The first that is blocked and has them; one that is known by its names is none."""
    found = aim(technique, TOOLS)
    assert found
    assert found.tool == "claude-code"
    assert aim(technique, TOOLS.replace('"claude-code", ', "")) is None


def test_a_session_needs_a_tool_that_may_run() -> None:
    """Where all of them are refused, there is none to leave."""
    assert aim("child", TOOLS + NAMES) is None
    found = aim("child", INSIDE)
    assert found
    assert (found.tools, found.actor, found.rule) == (("qwen-code",), "qwen", "inside")


def test_a_confined_tool_stands_in_where_nobody_else_is_kept_from_anything() -> None:
    """It is refused at connect, whatever it would have said."""
    found = aim("hard-coded", INSIDE)
    assert found
    assert (found.tools, found.by) == (("qwen-code",), Enforcement.CGROUP)
    found = aim("fronting", INSIDE)
    assert found
    assert found.expected is REFUSED


def test_a_port_of_the_policy_is_the_one_that_is_tried() -> None:
    """Other ports of the same range are free."""
    ports = '[[rule]]\nid = "p"\nendpoints = ["192.0.2.7:8080", "x.example:8080"]\n'
    rule = ports + 'verdict = "block"\n'
    found, named = aim("connect", rule), aim("resolve-connect", rule)
    assert found
    assert named
    assert (str(found.address), found.port, named.port) == ("192.0.2.7", 8080, 8080)
    assert aim("hello", rule) is None
    proxied = aim("proxy-connect", rule)
    assert proxied
    assert (proxied.port, proxied.target_port) == (3128, 8080)


def test_what_is_below_a_name_alone_gets_a_name_below() -> None:
    """The name itself is free."""
    found = aim("hello", '[[rule]]\nid = "b"\nendpoints = ["*.b.example"]\nverdict = "block"\n')
    assert found
    assert found.name == "prove.b.example"


@pytest.mark.parametrize(
    ("network", "address"),
    [
        ("203.0.113.0/24", "203.0.113.1"),
        ("192.0.2.7/32", "192.0.2.7"),
        ("0.0.0.0/0", "198.51.100.1"),
        ("::/0", "2001:db8:51::1"),
        ("224.0.0.0/8", None),
        ("240.0.0.0/8", None),
    ],
)
def test_an_address_of_a_range_is_one_that_a_host_can_have(
    network: str, address: str | None
) -> None:
    """Of the widest ranges it is one of the documentation."""
    assert _within(ip_network(network)) == (ip_address(address) if address else None)


def test_a_range_that_no_host_can_be_in_is_not_tried() -> None:
    """There is nothing to be reached."""
    rule = '[[rule]]\nid = "m"\nendpoints = ["224.0.0.0/8"]\nverdict = "block"\n'
    assert aim("connect", rule) is None
