# SPDX-License-Identifier: Apache-2.0
"""Whom a rule is about is read as it stands, or refused key by key."""

from __future__ import annotations

import pytest

from sensor.core.entries import SLUG, Entry
from sensor.core.policy.model import Condition
from sensor.core.policy.whom import CGROUP_DEPTH, COMPONENT_BYTES, WHO, condition, several
from sensor.errors import BadInputError, MistakesError


def entry(**table: object) -> Entry:
    """Give the text of a rule."""
    return Entry("p.toml:4", "rule 'r'", table)


def test_every_key_is_read() -> None:
    """Words twice count once, folders lose their last slash."""
    read = condition(
        entry(
            users=["alice", "1001", "alice"],
            groups=["dev"],
            cgroups=["/build.slice/", "/"],
            container=True,
            paths=["/opt/corp/", "/" + "x" * (COMPONENT_BYTES - 1)],
            risk=["unguarded"],
        ),
        frozenset({"codex"}),
    )
    assert read == Condition(
        tools=frozenset({"codex"}),
        users=("alice", "1001"),
        groups=("dev",),
        cgroups=("/build.slice", "/"),
        container=True,
        paths=("/opt/corp", "/" + "x" * (COMPONENT_BYTES - 1)),
        risk=("unguarded",),
    )
    assert condition(entry(), None) == Condition()


def test_every_key_that_is_wrong_is_named() -> None:
    """In one go, each with its remedy."""
    bad = {
        "users": ["4294967295"],
        "groups": [],
        "cgroups": ["/a" * (CGROUP_DEPTH + 1)],
        "container": "yes",
        "paths": ["/" + "x" * COMPONENT_BYTES],
        "risk": ["yolo"],
    }
    with pytest.raises(MistakesError) as caught:
        condition(entry(**bad), None)
    keys = [one.removeprefix("p.toml:4: rule 'r': ").split(":")[0] for one in caught.value.mistakes]
    assert keys == list(bad)
    assert set(WHO) <= set(bad)
    assert all("; write " in one for one in caught.value.mistakes)


def test_a_list_that_is_there_and_empty_is_refused() -> None:
    """It would mean nobody, or everybody."""
    assert several(entry(), "tools", SLUG) == ()
    assert several(entry(tools=["a", "b", "a"]), "tools", SLUG) == ("a", "b")
    with pytest.raises(BadInputError, match="tools: is empty; write one word at least"):
        several(entry(tools=[]), "tools", SLUG)
