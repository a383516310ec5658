# SPDX-License-Identifier: Apache-2.0
"""The catalogue of techniques holds together, and what it names is there."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from sensor.core.proof.technique import Reach, Start, Technique
from sensor.core.proof.techniques import NOT_TRIED, TECHNIQUES
from sensor.edge import attempt_exec, attempt_reach

WORDS = {"file", "folder", "name", "module", "pair", "python", "sh", "loader"}


def test_ids_are_unique_slugs() -> None:
    """CI asks for rows by them."""
    ids = [one.id for one in TECHNIQUES]
    assert len({*ids}) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in ids)


@pytest.mark.parametrize("one", TECHNIQUES, ids=lambda one: one.id)
def test_each_technique_is_one_that_can_be_carried_out(one: Technique) -> None:
    """By a word of the program that does it, on what there is."""
    assert one.tries
    assert not (one.blind and one.late)
    match one.way:
        case Start():
            assert one.way.how in attempt_exec.HOWS
            named = {
                name
                for text in (one.way.file, *one.way.argv)
                for _, name, _, _ in Formatter().parse(text)
                if name
            }
            assert named <= WORDS
        case Reach():
            assert one.way.how in attempt_reach.HOWS
            assert one.way.via in attempt_reach.VIAS
            assert one.late is None


def test_every_way_is_tried() -> None:
    """None is there that no technique takes."""
    starts = {one.way.how for one in TECHNIQUES if isinstance(one.way, Start)}
    reaches = [one.way for one in TECHNIQUES if isinstance(one.way, Reach)]
    assert starts == attempt_exec.HOWS
    assert {way.how for way in reaches} == attempt_reach.HOWS - {attempt_reach.NOTHING}
    assert {way.via for way in reaches} == attempt_reach.VIAS


def test_what_is_not_tried_has_a_reason() -> None:
    """The page says it."""
    assert all(NOT_TRIED.values())
