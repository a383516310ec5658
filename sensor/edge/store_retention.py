# SPDX-License-Identifier: Apache-2.0
"""Retention: the oldest batches go, whole ones only, and what remains is still provable.

The last seal that was dropped stays as the *anchor*: the chain begins there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.seal import GENESIS, Seal

if TYPE_CHECKING:
    import sqlite3

_MOST_ROWS = 20_000
"""In one transaction: a tenth of a second, in which nothing is stored."""

_MOST_PAGES = 2_000
"""That are given back to the file system at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """What retention did: ``seqs`` dropped, the last of them, and whether more has to go."""

    seqs: int
    upto_seq: int
    more: bool


def anchor(connection: sqlite3.Connection) -> Seal:
    """Return the seal that the oldest batch follows."""
    row = connection.execute("SELECT n, last_seq, hash FROM anchor").fetchone()
    return Seal(n=row[0], first_seq=row[1], last_seq=row[1], hash=row[2]) if row else GENESIS


def newest(connection: sqlite3.Connection) -> Seal:
    """Return the seal that the next batch follows."""
    row = connection.execute(
        "SELECT n, first_seq, last_seq, hash FROM seals ORDER BY n DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return anchor(connection)
    return Seal(n=row[0], first_seq=row[1], last_seq=row[2], hash=row[3])


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return how much of the file holds something."""
    pages, free, page_bytes = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * page_bytes)


def retain(
    connection: sqlite3.Connection, *, older_wall_ns: int, max_bytes: int, now_wall_ns: int
) -> Retained:
    """Drop batches whose every event is older than a time, and more while the store is too large.

    Drops at most so many rows that the writer is not held up; ``more`` says to call again.
    """
    before = dropped = anchor(connection)
    if _victim(connection, older_wall_ns, max_bytes) is None:
        return Retained(seqs=0, upto_seq=before.last_seq, more=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        while victim := _victim(connection, older_wall_ns, max_bytes):
            _drop(connection, victim)
            dropped = victim
            if dropped.last_seq - before.last_seq >= _MOST_ROWS:
                break
        connection.execute(
            "REPLACE INTO anchor VALUES (1, ?, ?, ?, ?)",
            (dropped.n, dropped.last_seq, dropped.hash, now_wall_ns),
        )
        more = _victim(connection, older_wall_ns, max_bytes) is not None
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    _shrink(connection, max_bytes)
    seqs = dropped.last_seq - before.last_seq
    return Retained(seqs=seqs, upto_seq=dropped.last_seq, more=more)


def _victim(connection: sqlite3.Connection, older_wall_ns: int, max_bytes: int) -> Seal | None:
    """Return the oldest batch, if it has to go."""
    row = connection.execute(
        "SELECT n, first_seq, last_seq, hash, high_wall_ns FROM seals ORDER BY n LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    # A batch of nothing but holes has no time: it goes with what came before it.
    is_old = row[4] is None or row[4] < older_wall_ns
    if not is_old and used_bytes(connection) <= max_bytes:
        return None
    return Seal(n=row[0], first_seq=row[1], last_seq=row[2], hash=row[3])


def _drop(connection: sqlite3.Connection, victim: Seal) -> None:
    span = (victim.first_seq, victim.last_seq)
    connection.execute("DELETE FROM events WHERE seq BETWEEN ? AND ?", span)
    connection.execute("DELETE FROM blocks WHERE first_seq BETWEEN ? AND ?", span)
    connection.execute("DELETE FROM holes WHERE first_seq BETWEEN ? AND ?", span)
    connection.execute("DELETE FROM seals WHERE n = ?", (victim.n,))


def _shrink(connection: sqlite3.Connection, max_bytes: int) -> None:
    """Give pages back to the file system while the file is larger than it may be."""
    pages, page_bytes = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
    )
    surplus = min(pages - max_bytes // page_bytes, _MOST_PAGES)
    if surplus > 0:
        # It gives no rows but takes a step for each page, and only a script takes them all.
        connection.executescript(f"PRAGMA incremental_vacuum({surplus})")
