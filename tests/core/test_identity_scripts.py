# SPDX-License-Identifier: Apache-2.0
"""An image that an interpreter runs is known by what was found out of its script."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.story import CATALOGUE, exec_

from sensor.core.event import Evidence
from sensor.core.facts import Signal
from sensor.core.identity import Identifier
from sensor.core.scripts import Inside
from sensor.core.weights import (
    CONTENT_WEIGHT,
    FOREIGN_FACTOR,
    MODULE_WEIGHT,
    NAME_WEIGHT,
    PACKAGE_WEIGHT,
    PATH_WEIGHT,
)

TEXTS = ("FIRST_TEXT_IN_IT", "SECOND_TEXT")
CODEX = CATALOGUE.tool("codex")
assert CODEX
KNOWN = replace(
    CATALOGUE,
    tools=tuple(
        replace(one, scripts=TEXTS, packages=("npm:@openai/codex",)) if one is CODEX else one
        for one in CATALOGUE.tools
    ),
)
IDENTIFIER = Identifier(KNOWN)
IMAGE = exec_(9, "/usr/bin/node", "x.js")


@pytest.mark.parametrize(
    ("inside", "tool", "evidence", "confidence"),
    [
        (Inside("/x.js"), None, [], 0.0),
        (
            Inside("/x.js", tool="codex"),
            "codex",
            [Evidence("script", "FIRST_TEXT_IN_IT + SECOND_TEXT")],
            CONTENT_WEIGHT,
        ),
        (Inside("/x.js", tool="aider"), None, [], 0.0),
        (Inside("/x.js", module="aider"), "aider", [Evidence("module", "aider")], MODULE_WEIGHT),
        (Inside("/x.js", module="pip"), None, [], 0.0),
        (
            Inside("/x.js", package="npm:@openai/codex"),
            "codex",
            [Evidence("package", "npm:@openai/codex")],
            PACKAGE_WEIGHT,
        ),
        (
            Inside("/x/bin/codex", package="npm:codex", owns=True),
            None,
            [Evidence("name", "codex"), Evidence("foreign_package", "npm:codex")],
            NAME_WEIGHT * FOREIGN_FACTOR,
        ),
        (
            Inside("/x/bin/codex", package="npm:codex"),
            "codex",
            [Evidence("name", "codex")],
            NAME_WEIGHT,
        ),
        (
            Inside("/lib/@openai/codex/x.js"),
            "codex",
            [Evidence("path", "@openai/codex")],
            PATH_WEIGHT,
        ),
    ],
)
def test_each_thing_found_counts_as_it_would_elsewhere(
    inside: Inside, tool: str | None, evidence: list[Evidence], confidence: float
) -> None:
    """By itself, and for the image that runs the script; the evidence says what it was."""
    alone = IDENTIFIER.within(inside)
    assert (alone.id if alone else None) == tool
    found = IDENTIFIER.identify(replace(IMAGE, inside=inside, signals=Signal.SCRIPT, late=True))
    assert (found.tool.id if found.tool else None) == tool
    assert list(found.evidence) == evidence
    assert found.confidence == pytest.approx(confidence)


def test_a_script_that_was_not_looked_into_says_nothing() -> None:
    """The kernel's word for it is not enough: what it went by is not known any more."""
    assert IDENTIFIER.identify(replace(IMAGE, signals=Signal.SCRIPT, tool=1)).tool is None
