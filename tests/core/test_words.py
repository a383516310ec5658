# SPDX-License-Identifier: Apache-2.0
"""The words of the stream are short, lower case, and each means one thing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from sensor.core.words import Kind, NameSource, Verdict

if TYPE_CHECKING:
    from enum import Enum


@pytest.mark.parametrize("words", [Kind, Verdict, NameSource])
def test_a_word_needs_no_quoting(words: type[Enum]) -> None:
    """It stands in JSON, in a column and in a filter as it is."""
    values = [one.value for one in words]
    assert all(re.fullmatch(r"[a-z_]+", value) for value in values)
    assert len(set(values)) == len(values)
