# SPDX-License-Identifier: Apache-2.0
"""A policy is read as it stands; what is no policy is refused with its place and a remedy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.badpolicies import (
    BAD_EGRESS,
    BAD_EXCEPTIONS,
    BAD_RULES,
    BAD_TOOLS,
    BAD_WHO,
    BAD_WORDS,
    RULE,
    TYPES,
)
from support.policies import CATALOGUE, read

from sensor.core.audit.trigger import Occasion, On
from sensor.core.policy import text
from sensor.core.policy.model import (
    Condition,
    Mode,
    Running,
    Target,
    WhenFull,
)
from sensor.core.words import Verdict
from sensor.errors import BadInputError, ExitCode

ALL = frozenset({"some-cli", "other-cli", "some-ide"})

WHOLE = """
[defaults]
tool = "block"
unknown_client = "allow"
[dns]
resolvers = ["192.0.2.1", "2001:db8::53"]
[[rule]]
id = "first"
tools = ["some-cli", "category:ide-agent"]
users = ["alice", "1001", "alice"]
groups = ["dev"]
cgroups = ["/build.slice/", "/"]
container = true
paths = ["/opt/corp/", "/home/alice"]
verdict = "block"
mode = "shadow"
message = "Ask for it: https://wiki.example"
running = "kill"
when_full = "closed"
[[rule]]
id = "second"
tools = ["other-cli"]
verdict = "alert"
egress_only = ["llm.corp.example:443", "10.20.0.0/16:443"]
[[rule]]
id = "third"
endpoints = ["some", "*.example.com"]
verdict = "allow"
[[exception]]
rule = "first"
users = ["bob"]
ticket = "SEC-1"
reason = "trial"
expires = 2027-01-31T02:00:00+02:00
[[exception]]
rule = "first"
container = false
ticket = "SEC-2"
expires = 2027-02-01T00:00:00Z
"""


def test_every_key_is_read() -> None:
    """As it stands; words twice count once, folders lose their last slash."""
    policy = read(WHOLE)
    assert (policy.mode, policy.tool, policy.unknown_client) == (
        Mode.ENFORCE, Verdict.BLOCK, Verdict.ALLOW,
    )  # fmt: skip
    assert policy.resolvers == {ip_address("192.0.2.1"), ip_address("2001:db8::53")}
    first, second, third = policy.rules
    assert first.condition == Condition(
        tools=frozenset({"some-cli", "some-ide"}),
        users=("alice", "1001"),
        groups=("dev",),
        cgroups=("/build.slice", "/"),
        container=True,
        paths=("/opt/corp", "/home/alice"),
    )
    assert (first.verdict, first.mode) == (Verdict.BLOCK, Mode.SHADOW)
    assert first.message == "Ask for it: https://wiki.example"
    assert (first.running, first.when_full) == (Running.KILL, WhenFull.CLOSED)
    assert (first.place, first.tools) == ("p.toml:10", ("some-cli", "category:ide-agent"))
    assert second.egress_only == (
        Target(name="llm.corp.example", port=443),
        Target(network=ip_network("10.20.0.0/16"), port=443),
    )
    assert second.egress == ("llm.corp.example:443", "10.20.0.0/16:443")
    assert (second.mode, second.running, second.when_full) == (
        None, Running.DISCONNECT, WhenFull.OPEN,
    )  # fmt: skip
    assert third.targets[-1] == Target(name="example.com", below=True)
    assert third.condition == Condition()


def test_exceptions_are_with_their_rule() -> None:
    """In the order of the text, with their end as a moment."""
    one, two = read(WHOLE).rules[0].exceptions
    assert one.condition == Condition(users=("bob",))
    assert one.expires == datetime(2027, 1, 31, tzinfo=UTC)
    assert one.expires.tzinfo == timezone(timedelta(hours=2))
    assert (one.ticket, one.reason, one.place) == ("SEC-1", "trial", "p.toml:32")
    assert two.condition == Condition(container=False)
    assert (two.ticket, two.reason) == ("SEC-2", None)


def test_little_is_needed() -> None:
    """A version and a mode: everything alerts."""
    policy = read("")
    assert (policy.tool, policy.unknown_client) == (Verdict.ALERT, Verdict.ALERT)
    assert (policy.rules, policy.resolvers) == ((), frozenset())
    assert len(policy.services) == 6


@pytest.mark.parametrize(
    ("body", "occasion"),
    [
        ('audit_on = "off"', Occasion(On.OFF)),
        ('audit_on = "alert"', Occasion(On.ALERT)),
        (
            'audit_on = "high-risk"\nhigh_risk = ["vendor:some", "other-cli"]',
            Occasion(On.HIGH_RISK, ALL),
        ),
        (
            'audit_on = "off"\nhigh_risk = ["category:ide-agent"]',
            Occasion(On.OFF, frozenset({"some-ide"})),
        ),
    ],
)
def test_audits_follow_what_the_policy_says(body: str, occasion: Occasion) -> None:
    """Tools are named as in rules; off is an answer too, and a list may wait for another one."""
    assert read(f"[defaults]\n{body}").audits == occasion
    assert read("").audits is None


@pytest.mark.parametrize(
    ("body", "line", "why"),
    [
        (
            'audit_on = "high-risk"',
            4,
            "high_risk: is missing; name the tools that audit_on is about",
        ),
        ('audit_on = "high-risk"\nhigh_risk = []', 6, "high_risk: is empty; write one word"),
        (
            'audit_on = "always"',
            5,
            "audit_on: 'always' is unknown; write one of off, high-risk, al",
        ),
        ('high_risk = ["some-cli"]', 5, "high_risk: is there without audit_on; write audit_on = "),
        ('audit_on = "alert"\nhigh_risk = ["clod"]', 6, "high_risk: 'clod' is no tool of the cata"),
        (
            'audit_on = "alert"\nhigh_risk = ["vendor:x"]',
            6,
            "high_risk: no tool has the vendor 'x'",
        ),
    ],
)
def test_an_audit_that_would_never_follow_is_refused(body: str, line: int, why: str) -> None:
    """As are tools that are none."""
    assert refusal(f"[defaults]\n{body}").startswith(f"p.toml:{line}: defaults: {why}")


def test_a_policy_that_is_empty_is_refused() -> None:
    """It would be none."""
    for body, why in (
        ("", "version: is missing; write version = 1"),
        ("version = 1", "mode: is miss"),
    ):
        with pytest.raises(BadInputError, match=why):
            text.parse(body, where="p.toml", catalogue=CATALOGUE)


def refusal(body: str) -> str:
    """Give why a policy is refused."""
    with pytest.raises(BadInputError) as caught:
        read(body)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    return str(caught.value)


@pytest.mark.parametrize(("body", "why"), BAD_WORDS + BAD_EGRESS + BAD_TOOLS + TYPES + BAD_WHO)
def test_a_bad_word_of_a_rule_is_refused(body: str, why: str) -> None:
    """With the line of the rule, its id, the key, the word and what to write."""
    said = refusal(body)
    assert said.startswith("p.toml:4: rule 'r': ")
    assert why in said
    assert "; " in said


@pytest.mark.parametrize(("body", "why", "line"), BAD_RULES)
def test_a_bad_rule_is_refused(body: str, why: str, line: int | None) -> None:
    """With the line that it begins at, or that a key of no rule is at, where there is one."""
    said = refusal(body)
    assert said.startswith("p.toml: " if line is None else f"p.toml:{line}: ")
    assert why in said


@pytest.mark.parametrize(("body", "why"), BAD_EXCEPTIONS)
def test_a_bad_exception_is_refused(body: str, why: str) -> None:
    """With its own line."""
    said = refusal(body)
    assert said.startswith("p.toml:8: exception 1: ")
    assert why in said


@pytest.mark.parametrize("version", ["2", '"1"', "0", "[]"])
def test_another_version_is_refused(version: str) -> None:
    """What it means is not known here."""
    with pytest.raises(BadInputError, match=r"p\.toml:1: version: .* is unknown; write 1"):
        text.parse(f'version = {version}\nmode = "shadow"', where="p.toml", catalogue=CATALOGUE)


def test_a_rule_within_one_line_is_named_without_it() -> None:
    """TOML has more than one way to write a table."""
    said = refusal('rule = [{id = "r", verdict = "no"}]')
    assert said.startswith("p.toml: rule 'r': verdict: 'no' is unknown")


def refused(body: str) -> str:
    """Give why a text is refused, or its name where it is taken."""
    try:
        text.parse(body, where="p.toml", catalogue=CATALOGUE)
    except BadInputError as problem:
        return str(problem)
    return "p.toml"


@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_an_error(body: str) -> None:
    """Nothing else comes out of it."""
    assert refused(body).startswith("p.toml")


@given(st.sampled_from(["tools", "endpoints", "egress_only"]), st.text(max_size=40))
def test_any_word_is_a_target_or_an_error(key: str, word: str) -> None:
    """With the rule that it stands in."""
    escaped = "".join(f"\\U{ord(letter):08x}" for letter in word if letter.isprintable())
    verdict = "allow" if key == "egress_only" else "block"
    more = 'tools = ["*"]\n' if key == "egress_only" else ""
    said = refused(
        f'version = 1\nmode = "shadow"\n\n{RULE}verdict = "{verdict}"\n{more}{key} = ["{escaped}"]'
    )
    assert said.startswith("p.toml:4: rule 'r': ") or said == "p.toml"


def test_risk_and_unknown_clients_are_read() -> None:
    """As words of a rule; all tools are those of the catalogue."""
    (risky,) = read(f'{RULE}tools = ["*"]\nrisk = ["unguarded"]\nverdict = "block"').rules
    assert (risky.condition.risk, risky.condition.tools) == (("unguarded",), ALL)
    (ours,) = read(
        f'{RULE}tools = ["unknown-client"]\nendpoints = ["some"]\nverdict = "allow"'
    ).rules
    assert ours.condition.tools == frozenset({"unknown-client"})
