# SPDX-License-Identifier: Apache-2.0
"""What the numbers of a policy mean outlives the run that had it in force."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.story import enforced

from sensor.core.former import Former, former_of, noted, text_of
from sensor.errors import BadInputError

TEXT = """
[[rule]]
id = "first"
tools = ["*"]
verdict = "block"
message = "Ask ü first."
[[rule]]
id = "second"
endpoints = ["x.test"]
verdict = "alert"
"""
DOMAINS = {2**64 - 1: "x.test"}
FORMER = noted(enforced(TEXT, generation=7, domains=DOMAINS), 2**63)


def test_it_comes_out_as_it_went_in() -> None:
    """Rules by their numbers, and the names behind hashes."""
    came = former_of(text_of(FORMER))
    assert came == FORMER
    assert (came.seed, came.generation, came.domains) == (2**63, 7, DOMAINS)
    assert [came.told(index) for index in range(3)] == [
        ("first", "Ask ü first."), ("second", None), None,
    ]  # fmt: skip


def test_another_version_is_not_read() -> None:
    """It may mean something else."""
    with pytest.raises(BadInputError, match="version 2; this one reads 1"):
        former_of(json.dumps({"version": 2}))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}', text_of(Former(1, 2))[:-20]])
def test_what_is_damaged_is_not_read(text: str) -> None:
    """Nothing of it is believed."""
    with pytest.raises(BadInputError, match=r"^damaged "):
        former_of(text)


@given(st.text())
def test_any_text_is_one_or_an_error(text: str) -> None:
    """Nothing else comes out."""
    with suppress(BadInputError):
        former_of(text)
