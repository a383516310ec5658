# SPDX-License-Identifier: Apache-2.0
"""A measured table, for a terminal and for docs/overhead.md."""

from __future__ import annotations

import math
import re
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a title; ``remarks`` are sentences below."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...] = ()

    def plain(self) -> str:
        """Write the table for a terminal."""
        lines = [self.columns, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        body = (_aligned(line, widths) for line in lines)
        return "\n".join((self.title, *body, *(f"  {one}" for one in self.remarks)))

    def markdown(self) -> str:
        """Write the table for the docs."""
        rule = tuple("-" if i == 0 else "-:" for i in range(len(self.columns)))
        rows = ("| " + " | ".join(row) + " |" for row in (self.columns, rule, *self.rows))
        return "\n\n".join((f"### {self.title}", "\n".join(rows), *self.remarks))


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    words = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
    return "  " + "  ".join(words)


def verdict(measured: float, bound: float) -> str:
    """Say whether a figure is at or below its bound."""
    return "holds" if measured <= bound else "MISSED"


def spread(values: Sequence[float], form: str) -> tuple[str, str, str]:
    """Give median, least and greatest in the given format."""
    return tuple(  # type: ignore[return-value]  # three of them
        format(value, form) for value in (statistics.median(values), min(values), max(values))
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def sure(values: Sequence[float]) -> tuple[float, float]:
    """Give the 95 % interval of the median, by ranks: no assumption on how the values lie."""
    half = 0.98 * math.sqrt(len(values)) / len(values)
    return percentile(values, max(0.0, 0.5 - half)), percentile(values, 0.5 + half)


def put(page: Path, name: str, text: str) -> None:
    """Replace what stands between ``<!-- name -->`` and ``<!-- /name -->`` on a page."""
    before = page.read_text("utf-8")
    pattern = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    after, count = pattern.subn(lambda _: f"\n{text}\n\n", before)
    assert count == 1, f"{page}: no place called {name}"
    page.write_text(after, "utf-8")
