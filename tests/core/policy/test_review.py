# SPDX-License-Identifier: Apache-2.0
"""What may not be meant is found, and what is in order is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.attempts import ALERT, ALLOW, BLOCK, EARLIER, EVERY_TOOL, ONE_TOOL, exception, rule
from support.policies import ACCOUNTS, CATALOGUE, NOW, known

from sensor.core.policy.review import warnings


def said(body: str, mode: str = "enforce") -> list[str]:
    """Give the warnings of a policy."""
    return warnings(known(body, mode), ACCOUNTS, NOW, CATALOGUE)


FIRST = "is never reached: rule 'first' comes first"
COVERED = [
    (EVERY_TOOL, BLOCK, ONE_TOOL, BLOCK),
    (EVERY_TOOL, BLOCK, ONE_TOOL, ALLOW),
    (EVERY_TOOL, ALERT, ONE_TOOL, ALERT),
    (ONE_TOOL, BLOCK, f'{ONE_TOOL}\nusers = ["alice"]', BLOCK),
    (f'{ONE_TOOL}\nusers = ["alice", "bob"]', BLOCK, f'{ONE_TOOL}\nusers = ["bob"]', BLOCK),
    (f'{ONE_TOOL}\ngroups = ["dev"]', BLOCK, f'{ONE_TOOL}\nusers = ["alice"]', BLOCK),
    (f'{ONE_TOOL}\ncgroups = ["/a"]', BLOCK, f'{ONE_TOOL}\ncgroups = ["/a/b", "/a"]', BLOCK),
    (f'{ONE_TOOL}\npaths = ["/a"]', BLOCK, f'{ONE_TOOL}\npaths = ["/a/b"]', BLOCK),
    (f"{ONE_TOOL}\ncontainer = true", BLOCK, f"{ONE_TOOL}\ncontainer = true", BLOCK),
    (f'{ONE_TOOL}\nrisk = ["unguarded"]', BLOCK, f'{ONE_TOOL}\nrisk = ["unguarded"]', BLOCK),
    (ONE_TOOL, BLOCK, f'{ONE_TOOL}\nrisk = ["unguarded"]', BLOCK),
    (ONE_TOOL, f'{ALLOW}\negress_only = ["x.test"]', ONE_TOOL, BLOCK),
    (ONE_TOOL, BLOCK, f'{ONE_TOOL}\nendpoints = ["x.test"]', BLOCK),
    ('endpoints = ["x.test"]', BLOCK, 'endpoints = ["x.test"]', ALLOW),
    ('endpoints = ["x.test"]', BLOCK, 'endpoints = ["a.x.test", "*.x.test"]', ALLOW),
    ('endpoints = ["*.x.test"]', BLOCK, 'endpoints = ["*.x.test", "a.x.test"]', ALLOW),
    ('endpoints = ["x.test"]', BLOCK, 'endpoints = ["x.test:443"]', ALLOW),
    ('endpoints = ["x.test"]', BLOCK, f'{ONE_TOOL}\nendpoints = ["x.test"]', ALLOW),
    ('endpoints = ["*"]', BLOCK, 'endpoints = ["x.test", "192.0.2.1", "*:25"]', ALLOW),
    ('endpoints = ["192.0.2.0/24"]', BLOCK, 'endpoints = ["192.0.2.7", "192.0.2.0/24"]', ALLOW),
    ('endpoints = ["some"]', BLOCK, 'endpoints = ["www.some.example"]', ALLOW),
    ('endpoints = ["x.test", "192.0.2.1"]', BLOCK, 'endpoints = ["192.0.2.1"]', ALLOW),
]
FREE = [
    (ONE_TOOL, BLOCK, EVERY_TOOL, BLOCK),
    (f'{ONE_TOOL}\nusers = ["alice"]', BLOCK, ONE_TOOL, BLOCK),
    (f'{ONE_TOOL}\nrisk = ["unguarded"]', BLOCK, ONE_TOOL, BLOCK),
    (
        f'{ONE_TOOL}\nrisk = ["unguarded"]',
        BLOCK,
        f'{ONE_TOOL}\nrisk = ["proxied"]',
        BLOCK,
    ),
    (f'{ONE_TOOL}\nusers = ["alice"]', BLOCK, f'{ONE_TOOL}\nusers = ["bob"]', BLOCK),
    (f'{ONE_TOOL}\ncgroups = ["/a/b"]', BLOCK, f'{ONE_TOOL}\ncgroups = ["/a"]', BLOCK),
    (f'{ONE_TOOL}\ncgroups = ["/a"]', BLOCK, ONE_TOOL, BLOCK),
    (f'{ONE_TOOL}\npaths = ["/a"]', BLOCK, f'{ONE_TOOL}\npaths = ["/b"]', BLOCK),
    (f"{ONE_TOOL}\ncontainer = true", BLOCK, f"{ONE_TOOL}\ncontainer = false", BLOCK),
    (ONE_TOOL, ALLOW, f'{ONE_TOOL}\nendpoints = ["x.test"]', BLOCK),
    (ONE_TOOL, BLOCK, 'endpoints = ["x.test"]', BLOCK),
    ('endpoints = ["*"]', BLOCK, ONE_TOOL, BLOCK),
    ('endpoints = ["*.x.test"]', BLOCK, 'endpoints = ["x.test"]', ALLOW),
    ('endpoints = ["a.x.test"]', BLOCK, 'endpoints = ["x.test"]', ALLOW),
    ('endpoints = ["x.test:443"]', BLOCK, 'endpoints = ["x.test"]', ALLOW),
    ('endpoints = ["x.test"]', BLOCK, 'endpoints = ["x.test", "y.test"]', ALLOW),
    ('endpoints = ["x.test"]', BLOCK, 'endpoints = ["192.0.2.1", "x.test"]', ALLOW),
    ('endpoints = ["192.0.2.0/24"]', BLOCK, 'endpoints = ["x.test"]', ALLOW),
    ('endpoints = ["192.0.2.0/24"]', BLOCK, 'endpoints = ["192.0.2.1", "::/0"]', ALLOW),
    ('endpoints = ["192.0.2.0/24"]', BLOCK, 'endpoints = ["192.0.0.0/16"]', ALLOW),
    ('endpoints = ["192.0.2.0/24"]', BLOCK, 'endpoints = ["192.0.2.1", "x.test"]', ALLOW),
    ('endpoints = ["::/0"]', BLOCK, 'endpoints = ["192.0.2.1"]', ALLOW),
    (f'{ONE_TOOL}\nendpoints = ["*"]', BLOCK, 'endpoints = ["*"]', ALLOW),
]


@pytest.mark.parametrize(("one", "verdict", "other", "then"), COVERED)
def test_a_rule_that_is_never_reached_is_told(
    one: str, verdict: str, other: str, then: str
) -> None:
    """With the one that leaves nothing for it."""
    (told,) = said(rule("first", one, verdict) + rule("second", other, then))
    assert told.startswith("p.toml:")
    assert told.endswith(f": rule 'second': {FIRST}")


@pytest.mark.parametrize(("one", "verdict", "other", "then"), FREE)
def test_a_rule_that_is_reached_is_not(one: str, verdict: str, other: str, then: str) -> None:
    """By somebody, somewhere."""
    assert said(rule("first", one, verdict) + rule("second", other, then)) == []


def test_a_rule_may_be_left_with_half_of_its_work() -> None:
    """What may run by an earlier rule still reaches nothing by a later one."""
    (told,) = said(rule("first", EVERY_TOOL, ALLOW) + rule("second", ONE_TOOL, BLOCK))
    assert told == (
        "p.toml:8: rule 'second': judges no execution, as rule 'first' comes first;"
        " it still refuses connections"
    )


def test_a_rule_that_may_step_aside_covers_nothing() -> None:
    """One with an exception, or for nobody."""
    excepted = rule("first", EVERY_TOOL, BLOCK) + exception("first", 'users = ["alice"]')
    assert said(excepted + rule("second", EVERY_TOOL, ALERT)) == []
    told = said(rule("first", ONE_TOOL, BLOCK, 'users = ["carol"]') + rule("next", ONE_TOOL, ALERT))
    assert told == [
        "p.toml:4: rule 'first': users: this host has no user 'carol'",
        "p.toml:4: rule 'first': holds for nobody on this host",
    ]


def test_unknown_users_are_told() -> None:
    """Of rules and exceptions; numbers are known, and so is an empty group."""
    body = rule("r", ONE_TOOL, BLOCK, 'users = ["alice", "7", "carol"]', 'groups = ["x", "empty"]')
    assert said(body + exception("r", 'users = ["dave"]\ngroups = ["dev"]')) == [
        "p.toml:4: rule 'r': users: this host has no user 'carol'",
        "p.toml:4: rule 'r': groups: this host has no group 'x'",
        "p.toml:10: exception to 'r': users: this host has no user 'dave'",
    ]


def test_an_exception_that_has_ended_is_told() -> None:
    """With its end and its ticket."""
    body = rule("r", ONE_TOOL, BLOCK) + exception("r", 'users = ["bob"]', EARLIER)
    assert said(body) == [
        "p.toml:8: exception to 'r': ended at 2027-01-15T11:00:00+00:00 ('T'); remove it"
    ]


@pytest.mark.parametrize(
    ("whole", "own", "is_told"),
    [
        ("shadow", "enforce", True),
        ("observe", "shadow", True),
        ("enforce", "enforce", False),
        ("enforce", "observe", False),
    ],
)
def test_a_mode_beyond_the_whole_is_told(whole: str, own: str, *, is_told: bool) -> None:
    """It has no effect."""
    found = said(rule("r", ONE_TOOL, BLOCK, f'mode = "{own}"'), whole)
    text = f"p.toml:4: rule 'r': mode: {own} goes further than the policy, which is in {whole}"
    assert found == ([text] if is_told else [])


def test_ten_thousand_rules_are_looked_through_at_once() -> None:
    """Names and ranges alike."""
    body = "".join(
        rule(f"r{number}", f'endpoints = ["10.{number >> 8}.{number & 255}.0/24"]', BLOCK)
        + rule(f"n{number}", f'endpoints = ["h{number}.x.test"]', BLOCK)
        for number in range(5000)
    )
    assert said(body) == []


def test_a_tool_that_is_refused_late_by_its_bare_name_is_said() -> None:
    """Once for a rule that keeps it from starting, whatever its mode; not for what it reaches."""
    shared = replace(
        CATALOGUE,
        tools=tuple(
            replace(tool, marks=tuple(replace(mark, shared=True) for mark in tool.marks))
            if tool.vendor == "some"
            else tool
            for tool in CATALOGUE.tools
        ),
    )

    def found(body: str, mode: str = "enforce") -> list[str]:
        return warnings(known(body, mode), ACCOUNTS, NOW, shared)

    late = (
        "'some', 'some-ide': by the bare name it is ended after the start, not before, as a known"
    )
    for mode in "enforce", "shadow":
        [one] = found(rule("r", EVERY_TOOL, BLOCK), mode)
        assert one.startswith(f"p.toml:4: rule 'r': tools: {late}")
    assert found(rule("r", 'tools = ["other-cli"]', BLOCK)) == []
    assert found(rule("r", EVERY_TOOL, ALERT)) == []
    assert found(rule("r", f'{EVERY_TOOL}\nendpoints = ["some"]', BLOCK)) == []
