# SPDX-License-Identifier: Apache-2.0
"""Signals count as the table says, and doubt is what is left of them all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.made_up import CATALOGUE, module, name, path

from sensor.core.event import Evidence
from sensor.core.tools import HEARSAY, MarkKind
from sensor.core.weights import (
    CIRCUMSTANCE_WEIGHT,
    ENDPOINT_WEIGHT,
    FOREIGN_FACTOR,
    HEARSAY_FACTOR,
    MODULE_WEIGHT,
    NAME_WEIGHT,
    PACKAGE_WEIGHT,
    PATH_WEIGHT,
    THRESHOLD,
    WEAK_WEIGHT,
    Sign,
    confidence_of,
    weigh,
    weight_of,
    weight_of_sign,
)

CLAUDE = CATALOGUE.tools[0]
FOREIGN = Evidence("foreign_package", "npm:other")


@pytest.mark.parametrize(
    ("mark", "weight"),
    [
        (name("x"), NAME_WEIGHT),
        (path("a/b"), PATH_WEIGHT),
        (module("x"), MODULE_WEIGHT),
        (name("x", weak=True), WEAK_WEIGHT),
        (path("a/b", weak=True), WEAK_WEIGHT),
    ],
)
def test_a_mark_counts_by_its_kind_unless_it_is_weak(mark: object, weight: float) -> None:
    """Whoever else may bear it makes it weak."""
    assert weight_of(mark) == weight  # type: ignore[arg-type]


def test_what_is_known_from_documentation_counts_for_less_and_still_makes_a_tool() -> None:
    """A weak mark is little already."""
    assert weight_of(name("x"), hearsay=True) == round(NAME_WEIGHT * HEARSAY_FACTOR, 4)
    assert weight_of(name("x"), hearsay=True) >= THRESHOLD
    assert weight_of(name("x", weak=True), hearsay=True) == WEAK_WEIGHT


def test_another_package_takes_from_a_name_and_not_from_a_path() -> None:
    """Anybody picks a name; nobody lays out the folder of another's package."""
    assert weight_of(name("x"), foreign=True) == round(NAME_WEIGHT * FOREIGN_FACTOR, 4)
    assert weight_of(name("x"), foreign=True) < THRESHOLD
    assert weight_of(module("x"), foreign=True) < THRESHOLD
    assert weight_of(path("a/b"), foreign=True) == PATH_WEIGHT


@pytest.mark.parametrize(
    ("weights", "confidence"),
    [
        ([], 0.0),
        ([WEAK_WEIGHT], 0.3),
        ([WEAK_WEIGHT, WEAK_WEIGHT], 0.51),
        ([WEAK_WEIGHT, CIRCUMSTANCE_WEIGHT], 0.44),
        ([WEAK_WEIGHT, ENDPOINT_WEIGHT], 0.58),
        ([WEAK_WEIGHT, PACKAGE_WEIGHT], 0.965),
        ([NAME_WEIGHT, PATH_WEIGHT], 0.995),
    ],
)
def test_reasons_are_put_together(weights: list[float], confidence: float) -> None:
    """That a user has a tool does not make one of a weak name; what it reaches does."""
    assert confidence_of(weights) == confidence


def test_evidence_is_weighed_for_its_tool() -> None:
    """What the catalogue lacks has no weight, and what says something else counts nothing."""
    evidence = [
        Evidence("name", "claude"),
        Evidence("name", "clod"),
        Evidence("package", "npm:x"),
        Evidence("marker", "codex CODEX_CI"),
        Evidence("content", "x"),
    ]
    assert weigh(evidence, CLAUDE) == [NAME_WEIGHT, None, PACKAGE_WEIGHT, 0.0, None]
    assert weigh(evidence, None) == [None] * 5
    assert weigh([evidence[0], FOREIGN], CLAUDE) == [round(NAME_WEIGHT * FOREIGN_FACTOR, 4), 0.0]


def test_a_tool_of_hearsay_is_weighed_as_one() -> None:
    """All of its marks are."""
    marks = tuple(replace(mark, source=f"{HEARSAY} a page") for mark in CLAUDE.marks)
    (weight,) = weigh([Evidence("name", "claude")], replace(CLAUDE, marks=marks))
    assert weight == round(NAME_WEIGHT * HEARSAY_FACTOR, 4)


def test_signs_of_a_look_have_a_weight_each() -> None:
    """Those that the kernel tells have theirs by their marks."""
    looks = set(Sign) - {Sign(kind.value) for kind in MarkKind}
    assert all(0 <= weight_of_sign(sign) < 1 for sign in looks)
