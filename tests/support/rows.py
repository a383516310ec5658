# SPDX-License-Identifier: Apache-2.0
"""Rows for the store: a batch in few words, and a database to look into behind its back."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from sensor.edge.store import Store
from sensor.wire.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

WALL_NS = 1_795_442_400_000_000_000
SECOND = 1_000_000_000

PLAIN = Row(
    seq=1,
    wall_ns=WALL_NS,
    kind="exec",
    verdict="allow",
    tool="claude-code",
    vendor="anthropic",
    session="aaaaaaaa",
    uid=1000,
    user="alice",
    exe="/usr/bin/git",
    endpoint=None,
    name=None,
    ip=None,
    rule="default",
    enforcement="none",
    body=b"",
)


def row(seq: int, *, pad: int = 0) -> Row:
    """Return the row with this number, which happened so many seconds after the first."""
    body = b"event %d " % seq + b"x" * pad
    return PLAIN._replace(seq=seq, wall_ns=WALL_NS + seq * SECOND, body=body)


def rows(first: int, last: int, *, pad: int = 0) -> list[Row]:
    """Return the rows of a range."""
    return [row(seq, pad=pad) for seq in range(first, last + 1)]


def filled(path: Path, *batches: tuple[int, int]) -> Store:
    """Return a new store that holds these ranges, one batch each."""
    store = Store(path)
    for first, last in batches:
        store.append(rows(first, last))
    return store


def behind(path: Path, *statements: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
    """Do something to a database without the store, as an intruder would; return what it gave."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        found: list[tuple[object, ...]] = []
        for statement in statements:
            found = connection.execute(statement, values).fetchall()
        return found


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of whoever writes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
