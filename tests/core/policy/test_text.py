# SPDX-License-Identifier: Apache-2.0
"""A policy is read as it stands; what is no policy is refused with its place and a remedy."""

from __future__ import annotations

from dataclasses import replace
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
from support.policies import CATALOGUE, LATER, read

from sensor.core.policy import text
from sensor.core.policy.model import (
    Condition,
    Mode,
    Running,
    RuntimeBlock,
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


def test_a_policy_that_is_empty_is_refused() -> None:
    """It would be none."""
    for body, why in (("", "version: None is unknown; write 1"), ("version = 1", "mode: is miss")):
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
    """With the line that it begins at; what is no rule's has the file."""
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
    with pytest.raises(BadInputError, match=r"p\.toml: version: .* is unknown; write 1"):
        text.parse(f'version = {version}\nmode = "shadow"', where="p.toml", catalogue=CATALOGUE)


def test_a_rule_within_one_line_is_named_without_it() -> None:
    """TOML has more than one way to write a table."""
    said = refusal('rule = [{id = "r", verdict = "no"}]')
    assert said.startswith("p.toml: rule 'r': verdict: 'no' is unknown")


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
    policy = text.with_blocks(read(WHOLE), [block], CATALOGUE)
    rule = policy.rules[0]
    assert [one.id for one in policy.rules[1:]] == ["first", "second", "third"]
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


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            'tools = ["unknown-client"]\nverdict = "block"',
            "tools: 'unknown-client' is known",
        ),
        ('tools = ["*"]\nrisk = ["proxied"]\nverdict = "allow"', "risk: is known of a run alone"),
        (
            'tools = ["*"]\nrisk = ["proxied"]\nverdict = "alert"\negress_only = ["x.test"]',
            "risk: is known of a run alone",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused(body: str, why: str) -> None:
    """An unknown client is known by what it reaches, and risk when the tool runs already."""
    with pytest.raises(BadInputError, match=why):
        read(f"{RULE}{body}")


def test_risk_and_unknown_clients_are_read() -> None:
    """As words of a rule; all tools are those of the catalogue."""
    (risky,) = read(f'{RULE}tools = ["*"]\nrisk = ["unguarded"]\nverdict = "block"').rules
    assert (risky.condition.risk, risky.condition.tools) == (("unguarded",), ALL)
    (ours,) = read(
        f'{RULE}tools = ["unknown-client"]\nendpoints = ["some"]\nverdict = "allow"'
    ).rules
    assert ours.condition.tools == frozenset({"unknown-client"})
