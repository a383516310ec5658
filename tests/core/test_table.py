# SPDX-License-Identifier: Apache-2.0
"""Cells are laid out for people, and written as CSV that nothing runs."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.core.table import Cell, csv_line, shown, table


def test_columns_are_as_wide_as_they_need() -> None:
    """Amounts stand at the right, text at the left, and no line ends in blanks."""
    rows = [["codex", "3", "1.5 MiB", "x"], ["claude-code", "-", "12 bytes", "-"]]
    assert table(("tool", "events", "sent", "name"), rows) == [
        "tool         events      sent  name",
        "codex             3   1.5 MiB  x",
        "claude-code       -  12 bytes  -",
    ]


def test_a_table_without_rows_is_its_heads() -> None:
    """There is nothing to align to."""
    assert table(("a", "b"), []) == ["a  b"]


def test_a_cell_is_fit_for_a_terminal() -> None:
    """Text is quoted, numbers are not, what is absent is a dash."""
    assert [shown(cell) for cell in ("a b", "a\x1b", 3, 0.5, None)] == [
        '"a b"', '"a\\x1b"', "3", "0.5", "-",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (["a", 1, None, 0.5], "a,1,,0.5"),
        (['say "hi"', "a,b"], '"say ""hi""","a,b"'),
        (["=1+1", "@x", "-1", "+1", -1], "'=1+1,'@x,'-1,'+1,-1"),
        (["a\x1b[31m\nb", "\tx"], "a\\x1b[31m\\nb,'\\tx"),
        (["\ud800"], "\\ud800"),
        ([], ""),
    ],
)
def test_csv_is_plain(cells: list[Cell], line: str) -> None:
    """A formula is text, and so is what a terminal would act on; a record is one line."""
    assert csv_line(cells) == line


@given(st.lists(st.text(st.characters(categories=["L", "N", "P"])), min_size=2))
def test_csv_is_read_back(cells: list[str]) -> None:
    """By any reader of RFC 4180; the apostrophe is all that was added."""
    [read] = csv.reader([csv_line(cells)])
    assert [one.removeprefix("'") for one in read] == [one.removeprefix("'") for one in cells]
