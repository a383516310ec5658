# SPDX-License-Identifier: Apache-2.0
"""Filters as SQL: our own words and one parameter a value; no text of a reader's gets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.edge.store_schema import COMMON_KINDS, NOT_ALLOWED, RARE_KIND
from sensor.errors import DamagedStoreError
from sensor.wire.block import unpack

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

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


def begun(connection: sqlite3.Connection, first: int) -> list[int]:
    """Return the seqs of the newest beginnings of sessions, from ``first`` on, without an end.

    Without reading a body: a boot may have had a hundred thousand sessions.
    """
    found = connection.execute(
        # https://www.sqlite.org/lang_select.html#bareagg: the kind is that of the row with the max.
        "SELECT max(seq) AS newest, kind FROM events"  # noqa: S608  # our own words
        " WHERE kind IN ('session_start', 'session_end')"
        f" AND {RARE_KIND} AND session IS NOT NULL AND seq >= ?"
        " GROUP BY session HAVING kind = 'session_start' ORDER BY newest",
        (first,),
    )
    return [seq for seq, _ in found]


def with_bodies(
    connection: sqlite3.Connection, path: Path, seqs: Iterable[int]
) -> list[tuple[int, bytes]]:
    """Return these events, in rising order, with their bodies, which are kept in blocks."""
    found = []
    start, bodies = 0, list[bytes]()
    for seq in seqs:
        if not start <= seq < start + len(bodies):
            row = connection.execute(
                "SELECT first_seq, bodies FROM blocks WHERE first_seq <= ?"
                " ORDER BY first_seq DESC LIMIT 1",
                (seq,),
            ).fetchone()
            start, bodies = (row[0], unpack(row[1])) if row else (0, [])
            if not start <= seq < start + len(bodies):
                raise DamagedStoreError(
                    f"{path}: event {seq} has lost its body; `agent-sensor verify` tells"
                    " where the store was changed"
                )
        found.append((seq, bodies[seq - start]))
    return found


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
