# SPDX-License-Identifier: Apache-2.0
"""Tables: rows of cells for people, in columns, and for programs, as CSV (RFC 4180)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from sensor.core.quote import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Cell: TypeAlias = str | int | float | None

_AMOUNT = re.compile(r"-|[0-9][0-9.]*( [A-Za-z]+)?")
_GAP = "  "
_SPECIAL = re.compile(r'[",\r\n]')
# A spreadsheet takes a cell that begins so for a formula, and runs it: CWE-1236.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lay text that is fit for a terminal out in columns, the heads first.

    A column of nothing but amounts is aligned at its right end.
    """
    lines = []
    columns = list(zip(heads, *(rows := list(rows)), strict=True))
    widths = [max(map(len, column)) for column in columns]
    amounts = [all(_AMOUNT.fullmatch(text) for text in column[1:]) for column in columns]
    for row in (heads, *rows):
        padded = [
            text.rjust(width) if is_amount else text.ljust(width)
            for text, width, is_amount in zip(row, widths, amounts, strict=True)
        ]
        lines.append(_GAP.join(padded).rstrip())
    return lines


def csv_line(cells: Iterable[Cell]) -> str:
    """Write one record without its line end.

    Text that a spreadsheet would take for a formula gets an apostrophe in
    front, what a terminal would act on is escaped. JSON has it as it is.
    """
    return ",".join(_csv(cell) for cell in cells)


def shown(cell: Cell) -> str:
    """Make a cell fit for a terminal: text is quoted, what is absent is a dash."""
    return "-" if cell is None else quote(cell) if isinstance(cell, str) else str(cell)


def _csv(cell: Cell) -> str:
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return str(cell)
    text = "".join(map(_visible, f"'{cell}" if cell.startswith(_FORMULA) else cell))
    return '"' + text.replace('"', '""') + '"' if _SPECIAL.search(text) else text


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
