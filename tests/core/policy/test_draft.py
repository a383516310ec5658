# SPDX-License-Identifier: Apache-2.0
"""Each rule makes the entries that it needs, in the lists of what it is about."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from support.attempts import (
    ALERT,
    ALLOW,
    BLOCK,
    EARLIER,
    EVERY_TOOL,
    ONE_TOOL,
    exception,
    rule,
)
from support.policies import BOOT_NS, CATALOGUE, LATER, WALL_OFFSET_NS, known

from sensor.core.policy.bits import EVERYBODY, Who
from sensor.core.policy.draft import Draft, at
from sensor.core.policy.rows import RULE_CANARY, RULE_DEFAULT, Entry, EntryFlag, TableVerdict
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR_NS = 3_600_000_000_000


def draft(body: str, mode: str = "enforce") -> Draft:
    """Enter rules and no defaults."""
    policy = known(body, mode)
    made = Draft(policy, CATALOGUE, WALL_OFFSET_NS)
    for position, one in enumerate(policy.rules):
        made.add(position, one)
    return made


def flat(pieces: Mapping[int, tuple[Entry, ...]]) -> list[Entry]:
    """Give the entries of a list."""
    return [entry for entries in pieces.values() for entry in entries]


NO = Entry(rule=0, verdict=TableVerdict.BLOCK, order=2)


def test_a_block_of_a_tool_is_in_its_lists() -> None:
    """Of executions and of what its sessions reach; for everybody, without a bit."""
    made = draft(rule("no", ONE_TOOL, BLOCK))
    assert [flat(one.exec) for one in made.tools] == [[], [NO], [], []]
    assert [flat(one.reach) for one in made.tools] == [[], [NO], [], []]
    assert (made.closed, made.named) == (0, 0)


def test_a_tool_that_may_run_is_judged_there_alone() -> None:
    """The rule says nothing of what it reaches."""
    made = draft(rule("yes", ONE_TOOL, ALLOW))
    assert flat(made.tools[1].exec) == [replace(NO, verdict=TableVerdict.ALLOW)]
    assert flat(made.tools[1].reach) == []


def test_a_confined_tool_has_a_way_out_and_an_end() -> None:
    """Names count if they can be trusted; all else is refused, after what is let through."""
    made = draft(rule("stay", ONE_TOOL, ALLOW, 'egress_only = ["x.test:443", "*:53"]'))
    anywhere, refused = flat(made.tools[1].reach)
    assert anywhere == replace(NO, verdict=TableVerdict.ALLOW, port=53)
    assert refused == replace(NO, order=3, flags=EntryFlag.CONFINES)
    (bit,) = {made.named}
    assert made.bits.tool("some-cli") == bit
    assert made.bits.tool("other-cli") == 0


@pytest.mark.parametrize(
    ("mode", "verdict"),
    [
        ("enforce", TableVerdict.BLOCK),
        ("shadow", TableVerdict.WOULD_BLOCK),
        ("observe", TableVerdict.ALERT),
    ],
)
def test_modes_are_in_the_entries(mode: str, verdict: TableVerdict) -> None:
    """The kernel knows of verdicts alone; only what is enforced is named or closed."""
    body = rule("no", 'endpoints = ["x.test"]', BLOCK, 'when_full = "closed"')
    made = draft(body + rule("stay", ONE_TOOL, ALLOW, 'egress_only = ["x.test"]'), mode)
    assert flat(made.tools[1].reach)[-1].verdict is verdict
    assert bool(made.named) is bool(made.closed) is (mode == "enforce")


def test_everything_is_in_everybodys_list() -> None:
    """Also in that of whoever is in no session; with tools in theirs alone."""
    made = draft(rule("all", 'endpoints = ["*:25"]', BLOCK))
    assert [flat(one.reach) for one in made.tools] == [[replace(NO, port=25)]] * 4
    made = draft(rule("all", ONE_TOOL, 'endpoints = ["*"]', BLOCK))
    assert [flat(one.reach) for one in made.tools] == [[], [NO], [], []]


def test_what_fails_closed_has_a_bit() -> None:
    """Of its tools too; that of everybody always holds."""
    made = draft(rule("no", ONE_TOOL, BLOCK, 'when_full = "closed"'))
    who = Who(tools=frozenset({"some-cli"}))
    assert made.closed == made.bits.always(who, "p") == 1
    made = draft(rule("no", 'endpoints = ["192.0.2.1"]', BLOCK, 'when_full = "closed"'))
    assert made.closed == made.bits.always(EVERYBODY, "p") == 1
    made = draft(rule("no", EVERY_TOOL, ALERT, 'when_full = "closed"'))
    assert made.closed == 0


def test_exceptions_stand_before_their_rule() -> None:
    """With their ends in boot time; one for nobody leaves no trace."""
    body = (
        rule("no", ONE_TOOL, BLOCK)
        + exception("no", 'users = ["alice"]')
        + exception("no", 'users = ["bob"]', EARLIER)
        + exception("no", 'users = ["carol"]')
        + exception("no", 'cgroups = ["/"]', "1970-01-01T00:00:00Z")
    )
    skips = draft(body).exceptions[0]
    assert [(skip.conditions, skip.end_ns) for skip in skips] == [
        (1, BOOT_NS + HOUR_NS), (2, BOOT_NS - HOUR_NS), (0, 1),
    ]  # fmt: skip
    assert {(skip.rule, skip.verdict, skip.order) for skip in skips} == {(0, TableVerdict.SKIP, 2)}


def test_a_rule_for_nobody_leaves_no_trace() -> None:
    """Its users are not there."""
    made = draft(rule("no", ONE_TOOL, BLOCK, 'users = ["carol"]'))
    assert flat(made.tools[1].exec) == []


def test_a_runtime_block_has_an_end() -> None:
    """In every entry."""
    policy = known(rule("no", ONE_TOOL, BLOCK))
    made = Draft(policy, CATALOGUE, WALL_OFFSET_NS)
    made.add(0, replace(policy.rules[0], expires=LATER))
    assert {one.end_ns for one in flat(made.tools[1].exec)} == {BOOT_NS + HOUR_NS}
    assert {one.end_ns for one in flat(made.tools[1].reach)} == {BOOT_NS + HOUR_NS}


def test_defaults_come_last() -> None:
    """Of every tool; services are for whoever is in no session."""
    made = draft("")
    made.add_defaults(5)
    entry = Entry(rule=RULE_DEFAULT, verdict=TableVerdict.ALERT, order=12)
    assert [flat(one.exec) for one in made.tools] == [[], [entry], [entry], [entry]]
    assert made.bits.tool(None) == 1
    assert made.bits.tool("some-cli") == 0


def test_unknown_clients_may_be_let_through() -> None:
    """Then nothing of the catalogue needs a look."""
    made = draft('[defaults]\nunknown_client = "allow"\n')
    made.add_defaults(0)
    assert made.bits.tool(None) == 0


def test_a_canary_comes_first() -> None:
    """As a tool after the last, before every rule."""
    made = draft("")
    made.add_canary(ip_address("192.0.2.254"))
    assert flat(made.tools[-1].exec) == [
        Entry(rule=RULE_CANARY, verdict=TableVerdict.BLOCK, order=0)
    ]


def test_a_rule_too_many_is_named() -> None:
    """With its place, or that of the exception."""
    body = "".join(rule(f"r{uid}", EVERY_TOOL, BLOCK, f'users = ["{uid}"]') for uid in range(64))
    with pytest.raises(BadInputError, match=r"p\.toml:324: rule 'more': there are 64 other"):
        draft(body + rule("more", EVERY_TOOL, BLOCK, "container = true"))
    same = rule("more", EVERY_TOOL, BLOCK, 'users = ["0"]')
    with pytest.raises(BadInputError, match=r"p\.toml:329: exception to 'more': there are 64"):
        draft(body + same + exception("more", "container = true"))


def test_a_rule_says_where_it_is() -> None:
    """As errors begin."""
    assert at(known(rule("no", ONE_TOOL, BLOCK)).rules[0]) == "p.toml:4: rule 'no'"


def test_a_rule_about_risk_leaves_no_trace() -> None:
    """The kernel cannot tell; what comes after it stands as if it were not there."""
    risky = rule("guarded", ONE_TOOL, 'risk = ["unguarded"]', BLOCK)
    made = draft(risky + rule("no", ONE_TOOL, BLOCK))
    assert [flat(one.exec) for one in made.tools] == [[], [replace(NO, rule=1, order=4)], [], []]


def test_a_rule_about_unknown_clients_is_in_the_list_of_who_is_in_no_session() -> None:
    """Beside those of tools that it names as well."""
    tools = 'tools = ["unknown-client", "some-cli"]'
    made = draft(rule("no", tools, 'endpoints = ["*"]', BLOCK))
    assert [flat(one.reach) for one in made.tools] == [[NO], [NO], [], []]
