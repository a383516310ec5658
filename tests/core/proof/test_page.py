# SPDX-License-Identifier: Apache-2.0
"""The page and the table are written from the techniques; GOLDEN=write writes the page anew."""

from __future__ import annotations

import os
from pathlib import Path

from sensor.core.proof.page import lines, page, summary
from sensor.core.proof.technique import Result, Row
from sensor.core.proof.techniques import NOT_TRIED, TECHNIQUES

DOCS = Path(__file__).parents[3] / "docs" / "bypasses.md"
GOOD = Row("one", Result.REFUSED, Result.REFUSED, "block by lsm, rule no")
BAD = Row("two", Result.REFUSED, Result.MISSED, "bad \x1b[31m news")
IDLE = Row("three", Result.NOTHING, Result.NOTHING, "nothing")


def test_the_page_is_as_the_techniques_are() -> None:
    """docs/bypasses.md: run this test with GOLDEN=write after a change."""
    if os.environ.get("GOLDEN") == "write":
        DOCS.write_text(page(), "utf-8")
    assert DOCS.read_text("utf-8") == page()


def test_every_technique_is_on_the_page_once() -> None:
    """With what is expected; and so is what is not tried."""
    text = page()
    for one in TECHNIQUES:
        assert text.count(f"| `{one.id}` | {one.tries} | ") == 1
        assert (one.blind or "") in text
    assert all(f"| {what} | {why} |" in text for what, why in NOT_TRIED.items())


def test_people_read_a_table() -> None:
    """Nothing in it acts on their terminal."""
    head, *rows = lines([GOOD, BAD])
    assert head.split() == ["TECHNIQUE", "EXPECTED", "RESULT", "DETAIL"]
    assert rows[0].startswith("one")
    assert "\x1b" not in rows[1]


def test_the_sum_names_what_is_not_as_expected() -> None:
    """And where nothing was proved, it says so."""
    assert list(summary([GOOD, BAD])) == [
        "2 techniques: 1 refused, 1 missed",
        "not as expected: two: missed, not refused",
    ]
    assert list(summary([GOOD])) == ["1 technique: 1 refused"]
    assert "nothing was proved" in list(summary([IDLE]))[-1]
