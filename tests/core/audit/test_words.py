# SPDX-License-Identifier: Apache-2.0
"""The words of the audit are those of its page of documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.core.audit.words import Certainty, Shows, Source, State

PAGE = (Path(__file__).parents[3] / "docs" / "audit.md").read_text("utf-8")


@pytest.mark.parametrize("word", [*State, *Certainty, *Shows, *Source])
def test_every_word_is_explained(word: State | Certainty | Shows | Source) -> None:
    """Whoever reads one in a report can look it up."""
    assert f"`{word.value}`" in PAGE
