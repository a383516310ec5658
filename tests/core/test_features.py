# SPDX-License-Identifier: Apache-2.0
"""The list of features is whole: what a reader is told of each can be acted on."""

from __future__ import annotations

import re

import pytest

from sensor.core.features import FEATURES, Feature, Need

WITH_NEED = [feature for feature in FEATURES if feature.need is not Need.NONE]


def of(feature: Feature) -> str:
    """Name a row of a table of features."""
    return feature.id


def test_no_two_features_have_one_name() -> None:
    """An id finds one feature, and so does the name of a line."""
    assert len({feature.id for feature in FEATURES}) == len(FEATURES)
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)


@pytest.mark.parametrize("feature", FEATURES, ids=of)
def test_each_feature_says_what_it_serves_and_what_its_absence_costs(feature: Feature) -> None:
    """Texts are clauses: no capital, no full stop, so that they fit into a line."""
    assert re.fullmatch(r"[a-z_]+[0-9]?", feature.id)
    for text in (feature.serves, feature.cost):
        assert text
        assert not text.endswith(".")


@pytest.mark.parametrize("feature", WITH_NEED, ids=of)
def test_what_watch_uses_has_a_remedy(feature: Feature) -> None:
    """Nobody is told that something is missing and left alone with it."""
    assert feature.remedy
    assert feature.remedy[0].isupper()
    assert not feature.remedy.endswith(".")


@pytest.mark.parametrize("word", ["lsm", "fentry", "kprobe"])
def test_the_words_by_which_tests_say_their_needs_are_features(word: str) -> None:
    """What a test is skipped for can be looked up."""
    assert word in {feature.id for feature in FEATURES}
