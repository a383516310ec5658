# SPDX-License-Identifier: Apache-2.0
"""Filters as SQL: our own words and one parameter a value; no text of a reader's gets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.edge.store_schema import COMMON_KINDS, NOT_ALLOWED, RARE_KIND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor.core.filter import Filter

_COLUMNS = {
    "tools": "tool",
    "vendors": "vendor",
    "kinds": "kind",
    "verdicts": "verdict",
    "sessions": "session",
    "endpoints": "endpoint",
    "rules": "rule",
    "enforcements": "enforcement",
}


def where(wanted: Filter) -> tuple[str, list[str]]:
    """Return the condition that a filter is, to follow ``AND``, and its parameters."""
    terms: list[str] = []
    values: list[str] = []
    for name, column in _COLUMNS.items():
        if chosen := sorted(getattr(wanted, name)):
            terms.append(f"{column} IN ({_places(chosen)})")
            values += chosen
    if users := sorted(wanted.users):
        terms.append(f"(user IN ({_places(users)}) OR CAST(uid AS TEXT) IN ({_places(users)}))")
        values += users * 2
    terms += _hints(wanted)
    return " AND ".join(terms) or "1", [_text(value) for value in values]


def _hints(wanted: Filter) -> list[str]:
    """Say what follows anyway, in the words of the partial indexes, or SQLite cannot use them."""
    hints = []
    if wanted.kinds and wanted.kinds.isdisjoint(COMMON_KINDS):
        hints.append(RARE_KIND)
    if wanted.verdicts and "allow" not in wanted.verdicts:
        hints.append(NOT_ALLOWED)
    return hints


def _places(values: Iterable[str]) -> str:
    return ", ".join("?" for _ in values)


def _text(value: str) -> str:
    """Escape what is no Unicode, as rows do."""
    return value.encode("utf-8", "backslashreplace").decode()
