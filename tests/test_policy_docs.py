# SPDX-License-Identifier: Apache-2.0
"""What docs/policy.md shows is a policy, by the catalogue that comes with the sensor."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sensor.core.policy import rows, tables, targets, text, whom
from sensor.core.policy.model import Accounts
from sensor.daemon.catalogues import catalogue

DOCS = (Path(__file__).parents[1] / "docs" / "policy.md").read_text("utf-8")
EXAMPLE = "\n".join(re.findall(r"^    (.*)$", DOCS.split("## Rules")[0], re.MULTILINE))
ENDPOINTS = re.findall(r"`([^`…]+)`", DOCS.split("## Endpoints")[1].split("Names have")[0])
KEYS = re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (`.*?) \|", DOCS, re.MULTILINE)))


def test_the_example_is_a_policy() -> None:
    """It is taken, and fits."""
    known = catalogue()
    policy = text.parse(EXAMPLE, where="docs/policy.md", catalogue=known)
    assert [rule.id for rule in policy.rules] == [
        "no-external-agents", "approved-stays-inside", "no-vendor-traffic",
    ]  # fmt: skip
    made = tables.compile_tables(
        policy, known, accounts=Accounts({}, {}), resolvers=(), wall_offset_ns=0
    )
    assert made.entries


@pytest.mark.parametrize("word", ENDPOINTS)
def test_every_endpoint_shown_is_one(word: str) -> None:
    """The words of the table."""
    assert targets.Words(catalogue()).targets(word)


def test_every_key_is_described() -> None:
    """Those of a rule; the others are in the example and in the text."""
    keys = {
        "id", "tools", "endpoints", "users", "groups", "cgroups", "container", "paths", "verdict",
        "mode", "message", "egress_only", "running", "when_full",
    }  # fmt: skip
    assert keys <= set(KEYS)
    for key in ("ticket", "reason", "expires", "resolvers", "tool", "unknown_client"):
        assert key in DOCS


def test_limits_are_those_of_the_code() -> None:
    """Number by number."""
    limits = DOCS.split("## Limits")[1].split("##")[0]
    for limit in (
        rows.CONDITIONS, rows.ENTRIES_OF_LIST, tables.PATHS, whom.COMPONENT_BYTES - 1,
        rows.ENTRIES_OF_BANK, rows.NODES_OF_BANK, rows.USERS_OF_BANK, rows.CGROUPS_OF_BANK,
    ):  # fmt: skip
        assert f" {limit}" in limits
    assert targets.SUFFIXES == 6
    assert "Names have six labels at most" in DOCS
