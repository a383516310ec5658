# SPDX-License-Identifier: Apache-2.0
"""Entries are shown with every fact that they hold, and its source."""

from __future__ import annotations

from dataclasses import replace

from support.made_up import CATALOGUE, SOURCE

from sensor.core.cataloguetext import HEADS, row, shown
from sensor.core.tools import Host, Mark, MarkKind, Role, Sourced

GOOSE = replace(
    CATALOGUE.tools[3],
    hosts=(Host("x.example.com", Role.API, SOURCE),),
    sourced=(Sourced("state", "~/.goose", "docs: x"),),
)


def test_a_tool_is_a_row_with_its_marks() -> None:
    """Weak ones stand in brackets."""
    cells = dict(zip(HEADS, row(GOOSE), strict=True))
    assert (cells["ID"], cells["SEEN"], cells["MARKS"]) == (
        "goose",
        "yes",
        "(goose), (block/goose)",
    )
    marks = tuple(replace(mark, source="docs: x") for mark in GOOSE.marks)
    assert "docs only" in row(replace(GOOSE, marks=marks))


def test_each_fact_of_a_tool_has_its_source() -> None:
    """Marks, hosts, and all else."""
    said = shown(GOOSE)
    assert said["docs_only"] is False
    assert said["facts"] == [
        {"key": "names", "value": "goose", "weak": True, "source": SOURCE},
        {"key": "paths", "value": "block/goose", "weak": True, "source": SOURCE},
        {"key": "api", "value": "x.example.com", "weak": False, "source": SOURCE},
        {"key": "state", "value": "~/.goose", "weak": False, "source": "docs: x"},
    ]


def test_a_name_that_a_stranger_bears_is_shown_as_written() -> None:
    """By its key."""
    mark = Mark(MarkKind.NAME, "codex", weak=False, source=SOURCE, shared=True)
    facts = shown(replace(GOOSE, marks=(mark,), hosts=(), sourced=()))["facts"]
    assert facts == [{"key": "shared_names", "value": "codex", "weak": False, "source": SOURCE}]


def test_a_service_is_shown_with_hosts_and_ranges() -> None:
    """Its facts share one source."""
    said = shown(CATALOGUE.endpoints[0])
    assert said["hosts"] == ["anthropic.com"]
    assert said["ranges"] == ["198.51.100.0/24", "2001:db8:a::/48"]
    assert said["source"] == "docs: a list of addresses"
