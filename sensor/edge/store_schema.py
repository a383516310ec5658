# SPDX-License-Identifier: Apache-2.0
"""The store's tables, and the steps from each older version of them. docs/store.md explains them.

A step is never changed once it was released: a change is one step more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.edge.store_file import foreign
from sensor.errors import BadInputError, UnsupportedError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

APPLICATION_ID = 0x61677365
"""https://sqlite.org/pragma.html#pragma_application_id: "agse", so that file(1) can tell."""

COMMON_KINDS = ("exec", "exit", "connect", "close", "resolve")
"""Kinds that most events are of: an index on these would be as large as the events."""

# "kind NOT IN" says the same and takes SQLite 0.6 us more for each event.
RARE_KIND = " AND ".join(f"kind <> '{kind}'" for kind in COMMON_KINDS)
NOT_ALLOWED = "verdict <> 'allow'"

STEPS: tuple[tuple[str, ...], ...] = (
    (
        # Events without their bodies are narrow: a million of them is scanned in a second.
        """CREATE TABLE events (
            seq INTEGER PRIMARY KEY, wall_ns INTEGER NOT NULL, kind TEXT NOT NULL, verdict TEXT,
            tool TEXT, vendor TEXT, session TEXT, uid INTEGER, user TEXT, exe TEXT,
            endpoint TEXT, name TEXT, ip TEXT)""",
        "CREATE TABLE blocks (first_seq INTEGER PRIMARY KEY, bodies BLOB NOT NULL)",
        """CREATE TABLE holes (
            first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, why TEXT NOT NULL)""",
        """CREATE TABLE seals (
            n INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
            low_wall_ns INTEGER, high_wall_ns INTEGER, hash BLOB NOT NULL, marks BLOB NOT NULL)""",
        # What retention dropped: all seals up to this one. One row at most.
        """CREATE TABLE anchor (
            one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL,
            last_seq INTEGER NOT NULL, hash BLOB NOT NULL, at_wall_ns INTEGER NOT NULL)""",
        # Every seq below "lease" may have been told to somebody.
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE INDEX events_session ON events (session) WHERE session IS NOT NULL",
        "CREATE INDEX events_endpoint ON events (endpoint) WHERE endpoint IS NOT NULL",
        f"CREATE INDEX events_verdict ON events (verdict) WHERE {NOT_ALLOWED}",
        f"CREATE INDEX events_kind ON events (kind) WHERE {RARE_KIND}",
        "CREATE INDEX seals_time ON seals (high_wall_ns, n)",
    ),
    (
        # What policy said. Events from before have neither: their seals hold as they are.
        "ALTER TABLE events ADD COLUMN rule TEXT",
        "ALTER TABLE events ADD COLUMN enforcement TEXT",
    ),
)


def version_of(connection: sqlite3.Connection, path: Path, *, latest: int) -> int:
    """Return the version of a store's tables, 0 for an empty file.

    Raises BadInputError for what is another program's, or a later version's.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise foreign(path)
    if version > latest:
        raise BadInputError(
            f"{path} was written by a newer agent-sensor (its tables are version {version}, this"
            f" one knows {latest}) and was not touched; upgrade agent-sensor, or name another"
            " place with --state-dir"
        )
    return int(version)


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise BadInputError where a reader cannot read these tables."""
    version = version_of(connection, path, latest=len(STEPS))
    if version < len(STEPS):
        raise BadInputError(
            f"{path} has tables of version {version}, and reading takes {len(STEPS)}; start"
            " the sensor once, which brings them there"
        )


def prepare(
    connection: sqlite3.Connection, path: Path, *, steps: Sequence[Sequence[str]] = STEPS
) -> None:
    """Bring the tables to the latest version, all at once or not at all.

    Raises BadInputError for what is no store, and UnsupportedError where the
    file system has no shared memory for the readers.
    """
    version = version_of(connection, path, latest=len(steps))
    if version == 0:
        # Only while there is no table: https://sqlite.org/pragma.html#pragma_auto_vacuum
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise UnsupportedError(
            f"{path}: this file system has no shared memory maps, which a store with readers"
            " takes; put it on a local one"
        )
    if version == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
