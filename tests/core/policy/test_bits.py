# SPDX-License-Identifier: Apache-2.0
"""Conditions share bits, and masks say which of them hold."""

from __future__ import annotations

import pytest

from sensor.core.policy.bits import EVERYBODY, STRANGERS, Bits, Who
from sensor.core.policy.model import Condition
from sensor.errors import BadInputError

CLI = Who(tools=frozenset({"cli"}))
ALICE = Who(uids=frozenset({1000}))
BUILDS = Who(cgroups=frozenset({"/build", "/ci"}), container=True)
CORP = Who(paths=frozenset({"/opt"}), container=False)


def given() -> Bits:
    """Give out bits 1, 2, 4, 8, 16 and 32."""
    bits = Bits()
    for who in (CLI, ALICE, BUILDS, CORP, STRANGERS, EVERYBODY):
        bits.always(who, "p")
    return bits


def test_equal_conditions_share_a_bit() -> None:
    """Everybody needs none, unless it is asked for."""
    bits = Bits()
    assert [bits.of(who, "p") for who in (CLI, ALICE, CLI, EVERYBODY)] == [1, 2, 1, 0]
    assert bits.always(EVERYBODY, "p") == 4
    assert bits.of(EVERYBODY, "p") == 0


def test_every_dimension_says_what_it_does_not_rule_out() -> None:
    """For those who are named, and for all others."""
    bits = given()
    assert bits.tool("cli") == 1 | 2 | 4 | 8 | 32
    assert bits.tool("other") == 2 | 4 | 8 | 32
    assert bits.tool(None) == 2 | 4 | 8 | 16 | 32
    assert bits.any_user() == 63 - 2
    assert bits.users() == {1000: 63}
    assert bits.any_cgroup() == 63 - 4
    assert bits.cgroups() == {"/build": 4, "/ci": 4}
    assert bits.any_path() == 63 - 8
    assert bits.paths() == {"/opt": 8}
    assert bits.container(inside=True) == 63 - 8
    assert bits.container(inside=False) == 63 - 4
    assert bits.tells_containers
    assert not Bits().tells_containers


@pytest.mark.parametrize(
    ("condition", "with_tools", "who"),
    [
        (Condition(), True, EVERYBODY),
        (Condition(tools=frozenset({"cli"})), True, CLI),
        (Condition(tools=frozenset({"cli"})), False, EVERYBODY),
        (Condition(users=("alice",), uids=frozenset({1000})), True, ALICE),
        (Condition(users=("x",)), True, Who(uids=frozenset())),
        (Condition(cgroups=("/ci", "/build"), container=True), True, BUILDS),
        (Condition(cgroups=("/ci", "/")), True, EVERYBODY),
        (Condition(paths=("/opt",), container=False), True, CORP),
    ],
)
def test_a_condition_loses_its_names(condition: Condition, who: Who, *, with_tools: bool) -> None:
    """In another order it is the same; the root of all cgroups is no condition."""
    assert Who.of(condition, with_tools=with_tools) == who


def test_there_are_64_bits() -> None:
    """The next one is an error with its place."""
    bits = Bits()
    last = [bits.of(Who(uids=frozenset({uid})), "p") for uid in range(64)][-1]
    assert last == 1 << 63
    assert bits.of(Who(uids=frozenset({0})), "p") == 1
    with pytest.raises(BadInputError, match=r"p\.toml:7: rule 'x': there are 64 other combin"):
        bits.of(CLI, "p.toml:7: rule 'x'")


def test_who_is_in_no_session_meets_conditions_that_name_unknown_clients() -> None:
    """Tools do not, and it meets no condition of a tool's."""
    bits = Bits()
    strangers = bits.always(Who(tools=frozenset({"unknown-client"})), "p")
    tool = bits.always(CLI, "p")
    assert bits.tool(None) == strangers
    assert bits.tool("cli") == tool
