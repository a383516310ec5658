# SPDX-License-Identifier: Apache-2.0
"""A policy becomes tables; what the kernel cannot hold is refused by its rule."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from ipaddress import IPv6Network, ip_address

import pytest
from support.attempts import ALLOW, BLOCK, EVERY_TOOL, ONE_TOOL, rule
from support.policies import CATALOGUE, RESOLVER, compiled, known, read

from sensor.core.policy import tables as module
from sensor.core.policy.model import Accounts
from sensor.core.policy.rows import (
    RULE_CANARY,
    RULE_DEFAULT,
    RULE_FULL,
    RULE_QUIC,
    Masks,
    PolicyFlag,
    Span,
)
from sensor.errors import BadInputError

SILENT = '[defaults]\nunknown_client = "allow"\n'


def test_a_policy_without_rules_alerts() -> None:
    """Tools that are executed, and whoever reaches the catalogue's services."""
    tables = compiled(read(""))
    assert tables.flags == PolicyFlag.EXEC | PolicyFlag.NAME | PolicyFlag.RANGE
    assert tables.tools[0].exec == Span()
    assert len({one.exec for one in tables.tools[1:]}) == 1
    assert tables.masks == Masks(
        any_user=1, any_cgroup=1, any_path=1, outside=1, inside=1, closed=0, named=0
    )
    assert [one.conditions for one in tables.tools] == [1, 0, 0, 0]
    assert tables.policy == known("")


@pytest.mark.parametrize(
    ("lines", "flags"),
    [
        ((EVERY_TOOL,), PolicyFlag(0)),
        ((EVERY_TOOL, 'users = ["alice"]'), PolicyFlag.USER),
        ((EVERY_TOOL, 'groups = ["dev"]'), PolicyFlag.USER),
        ((EVERY_TOOL, 'cgroups = ["/a"]'), PolicyFlag.CGROUP),
        ((EVERY_TOOL, 'cgroups = ["/"]'), PolicyFlag(0)),
        ((EVERY_TOOL, "container = false"), PolicyFlag.INSIDE),
        ((EVERY_TOOL, 'paths = ["/opt"]'), PolicyFlag.PATH),
        (('endpoints = ["192.0.2.1"]',), PolicyFlag.RANGE),
        (('endpoints = ["x.test"]',), PolicyFlag.NAME),
        (('endpoints = ["*"]',), PolicyFlag(0)),
        (('endpoints = ["some"]',), PolicyFlag.RANGE | PolicyFlag.NAME),
    ],
)
def test_flags_say_what_needs_a_look(lines: tuple[str, ...], flags: PolicyFlag) -> None:
    """Beside executions, which always do."""
    assert compiled(read(SILENT + rule("r", *lines, BLOCK))).flags == flags | PolicyFlag.EXEC


def test_masks_are_those_of_all_conditions() -> None:
    """Bit by bit in the order of the rules."""
    body = (
        rule("a", EVERY_TOOL, BLOCK, 'users = ["alice"]')
        + rule("b", EVERY_TOOL, BLOCK, 'cgroups = ["/a", "/b"]', "container = true")
        + rule("c", EVERY_TOOL, BLOCK, 'paths = ["/opt"]', 'users = ["7"]')
        + rule("d", ONE_TOOL, 'endpoints = ["x.test"]', BLOCK, 'when_full = "closed"')
    )
    tables = compiled(read(SILENT + body))
    assert tables.masks == Masks(
        any_user=0b1010, any_cgroup=0b1101, any_path=0b1011, outside=0b1101, inside=0b1111,
        closed=0b1000, named=0b1000,
    )  # fmt: skip
    assert tables.users == {7: 0b1110, 1000: 0b1011}
    assert tables.cgroups == {"/a": 0b10, "/b": 0b10}
    assert tables.paths == {"/opt": 0b100}
    assert [one.conditions for one in tables.tools] == [0b0111, 0b1111, 0b0111, 0b0111]


def test_numbers_are_turned_into_rules() -> None:
    """In the order in which they are asked; some stand for no rule of the text."""
    tables = compiled(read(rule("a", EVERY_TOOL, BLOCK) + rule("b", EVERY_TOOL, ALLOW)))
    assert [tables.rule_id(number) for number in (0, 1)] == ["a", "b"]
    assert [tables.rule_at(number) for number in (0, 1)] == list(tables.policy.rules)
    numbers = (RULE_DEFAULT, RULE_QUIC, RULE_CANARY, RULE_FULL, 2)
    assert [tables.rule_id(number) for number in numbers] == [
        "default", "quic", "canary", "full", None,
    ]  # fmt: skip
    assert tables.rule_at(RULE_DEFAULT) is None


def test_a_host_is_in_its_tables() -> None:
    """Its accounts and its resolvers."""
    tables = compiled(read(rule("a", EVERY_TOOL, BLOCK, 'users = ["alice"]')))
    assert tables.policy.rules[0].condition.uids == {1000}
    assert tables.policy.resolvers == {RESOLVER}


def test_a_canary_has_its_place() -> None:
    """An address, and the tool after the last."""
    tables = compiled(read(""), canary=ip_address("192.0.2.254"))
    assert IPv6Network("::ffff:192.0.2.254/128") in tables.ranges
    assert [one.exec.count for one in tables.tools] == [0, 1, 1, 1, 1]
    assert tables.tools[-1].reach == Span()


def test_there_can_be_too_many_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their numbers have 16 bits."""
    monkeypatch.setattr(module, "RULES", 1)
    body = rule("a", EVERY_TOOL, BLOCK) + rule("b", EVERY_TOOL, BLOCK)
    with pytest.raises(BadInputError, match="policy: more than 1 rules; join some of them"):
        compiled(read(body))


@pytest.mark.parametrize(
    ("lines", "about"),
    [
        (EVERY_TOOL, "executions of some-cli"),
        ('endpoints = ["*"]', "all that anybody reaches"),
        ('endpoints = ["x.test"]', "x.test"),
        ('endpoints = ["*.x.test"]', r"\*\.x\.test"),
        ('endpoints = ["2001:db8::/32"]', "2001:db8::/32"),
    ],
)
def test_a_list_that_is_too_long_names_the_rule(lines: str, about: str) -> None:
    """The 33rd, and what it is about."""
    body = "".join(rule(f"r{uid}", lines, BLOCK, f'users = ["{uid}"]') for uid in range(33))
    with pytest.raises(
        BadInputError, match=rf"p\.toml:166: rule 'r32': more than 32 rules .* about {about}; join"
    ):
        compiled(read(SILENT + body))


def test_the_last_of_a_list_may_be_the_default() -> None:
    """Which is no rule that one could remove."""
    body = "".join(rule(f"r{uid}", EVERY_TOOL, ALLOW, f'users = ["{uid}"]') for uid in range(32))
    with pytest.raises(BadInputError, match="policy: defaults: more than 32 rules"):
        compiled(read(body))
    shut = body.replace("users", "groups", 0) + rule("all", EVERY_TOOL, BLOCK)
    with pytest.raises(BadInputError, match="rule 'all': more than 32 rules"):
        compiled(read(shut))


@pytest.mark.parametrize(
    ("key", "count", "why"),
    [
        ("paths", 17, "paths: more than 32 different folders; join some rules"),
        ("cgroups", 257, "cgroups: more than 512 different cgroups; join some rules"),
    ],
)
def test_there_can_be_too_many_places(key: str, count: int, why: str) -> None:
    """A process has so many bits, and a map so much room."""
    words = ", ".join(f'"/a{number}", "/b{number}"' for number in range(count))
    with pytest.raises(BadInputError, match=f"policy: {why}"):
        compiled(read(rule("r", EVERY_TOOL, BLOCK, f"{key} = [{words}]")))


def test_there_can_be_too_many_users() -> None:
    """Those of groups count one by one."""
    policy = read(rule("r", EVERY_TOOL, BLOCK, 'groups = ["crowd"]'))
    for members, is_taken in ((8192, True), (8193, False)):
        accounts = Accounts({}, {"crowd": frozenset(range(members))})
        with nullcontext() if is_taken else pytest.raises(BadInputError, match="8192 different us"):
            module.compile_tables(
                policy, CATALOGUE, accounts=accounts, resolvers=(), wall_offset_ns=0
            )


def test_ten_thousand_rules_are_a_policy() -> None:
    """One entry each, and a node for each name."""
    body = "".join(
        rule(f"r{number}", f'endpoints = ["h{number}.x.test"]', BLOCK) for number in range(10_000)
    )
    tables = compiled(replace(read(SILENT + body), services=()))
    assert len(tables.entries) == 10_001
    assert len(tables.domains) == 10_002


def test_rules_that_can_never_win_cost_nothing_below() -> None:
    """Thousands of them for a name, and thousands of names below it."""
    body = "".join(
        rule(f"a{number}", 'endpoints = ["x.test", "10.0.0.0/8"]', BLOCK)
        + rule(f"b{number}", f'endpoints = ["h{number}.x.test"]', BLOCK)
        + rule(f"c{number}", f'endpoints = ["10.{number >> 8}.{number & 255}.0/24"]', BLOCK)
        for number in range(3000)
    )
    tables = compiled(replace(read(SILENT + body), services=()))
    assert len(tables.entries) == 2
