# SPDX-License-Identifier: Apache-2.0
"""Events into their table: many in one statement, by few statements that differ."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from sensor.wire.row import Row

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

# Each statement gives the interpreter's lock away once, and a busy loop takes
# up to 5 ms to give it back.
_ROWS = 64
_INSERT = f"INSERT INTO events VALUES ({', '.join('?' * (len(Row._fields) - 1))})"  # noqa: S608  # our own words
_VALUES = _INSERT.removeprefix("INSERT INTO events VALUES ")


def insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Add rows, without their bodies, in a transaction of the caller's."""
    narrow = [row[:-1] for row in rows]
    for start, end in pieces(len(narrow)):
        connection.execute(
            f"{_INSERT}{f', {_VALUES}' * (end - start - 1)}", list(chain(*narrow[start:end]))
        )


def pieces(count: int) -> Iterator[tuple[int, int]]:
    """Cut so many rows into pieces of 64, and what is left into powers of two.

    A connection keeps each statement that it has prepared, 50 KiB on average:
    with one for each number of rows that is left, they took 4 MiB.
    """
    start = 0
    while left := count - start:
        end = start + min(_ROWS, 1 << left.bit_length() - 1)
        yield start, end
        start = end
