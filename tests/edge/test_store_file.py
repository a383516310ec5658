# SPDX-License-Identifier: Apache-2.0
"""What is no store is refused in a sentence that helps, and never touched."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

import pytest
from support.rows import behind, filled

from sensor.edge.store import Store
from sensor.edge.store_file import connect, explained, size_bytes
from sensor.edge.store_schema import STEPS
from sensor.errors import BadInputError, DamagedStoreError, StoreError

if TYPE_CHECKING:
    from pathlib import Path


def others_database(path: Path) -> None:
    """Make a database of another program."""
    behind(path, "CREATE TABLE theirs (x)", "INSERT INTO theirs VALUES (1)")


def others_named_database(path: Path) -> None:
    """Make a database of a program that names itself."""
    behind(path, "PRAGMA application_id = 1", "CREATE TABLE theirs (x)")


def others_numbered_database(path: Path) -> None:
    """Make a database that is empty but for its version."""
    behind(path, "PRAGMA user_version = 1")


@pytest.mark.parametrize(
    "make",
    [
        others_database,
        others_named_database,
        others_numbered_database,
        lambda path: path.write_bytes(b"x"),
        lambda path: path.write_bytes(bytes(511)),
        lambda path: path.write_bytes(bytes(512)),
        lambda path: path.write_bytes(bytes(8192)),
        lambda path: path.write_bytes(b"#!/bin/sh\n" * 1000),
        lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000),
        lambda path: path.write_bytes(os.urandom(9000)),
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_of_somebody_else_is_not_touched(
    tmp_path: Path, make: object, *, read_only: bool
) -> None:
    """Not one byte of it, and nothing is left beside it."""
    path = tmp_path / "events.db"
    assert callable(make)
    make(path)
    before = path.read_bytes()
    with pytest.raises(BadInputError, match="is no store of agent-sensor and was not touched"):
        Store(path, read_only=read_only)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("read_only", [True, False])
def test_a_newer_store_is_refused(tmp_path: Path, *, read_only: bool) -> None:
    """An older sensor would not know what it breaks."""
    path = tmp_path / "events.db"
    filled(path, (1, 3)).close()
    behind(path, "PRAGMA user_version = 999")
    with pytest.raises(BadInputError, match="written by a newer agent-sensor") as error:
        Store(path, read_only=read_only)
    assert "999" in str(error.value)
    behind(path, f"PRAGMA user_version = {len(STEPS)}")
    with Store(path) as store:
        assert store.last_seq == 3


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    """A pipe would hold the sensor up for ever, a link may lead anywhere."""
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe"):
        with pytest.raises(BadInputError, match="is no plain file"):
            Store(tmp_path / name)


def test_a_reader_makes_no_store(tmp_path: Path) -> None:
    """It says where it looked and what to do."""
    with pytest.raises(BadInputError, match="there is no store; start the sensor"):
        Store(tmp_path / "events.db", read_only=True)
    assert not list(tmp_path.iterdir())


def test_a_place_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A folder is not made: who may read it is not for the store to say."""
    with pytest.raises(BadInputError, match="make its folder first"):
        Store(tmp_path / "no" / "events.db")
    (tmp_path / "file").touch()
    with pytest.raises(BadInputError, match="Not a directory"):
        Store(tmp_path / "file" / "events.db")


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    """The file and what SQLite puts beside it: they tell what others run."""
    with filled(tmp_path / "events.db", (1, 3)):
        made = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert made == {"events.db": 0o600, "events.db-wal": 0o600, "events.db-shm": 0o600}


@pytest.mark.parametrize("name", ["a?mode=memory&b#c%20", "\udcff\n", "-wal"])
def test_any_path_is_one_file(tmp_path: Path, name: str) -> None:
    """No character of it says anything to SQLite."""
    filled(tmp_path / name, (1, 3)).close()
    with Store(tmp_path / name, read_only=True) as store:
        assert store.last_seq == 3
    assert tmp_path / name in tmp_path.iterdir()


def _code(code: int) -> sqlite3.Error:
    problem = sqlite3.OperationalError("what SQLite says")
    problem.sqlite_errorcode = code
    return problem


@pytest.mark.parametrize(
    ("problem", "kind", "says"),
    [
        (_code(sqlite3.SQLITE_FULL), StoreError, "no space left"),
        (_code(sqlite3.SQLITE_CORRUPT_INDEX), DamagedStoreError, "agent-sensor verify"),
        (_code(sqlite3.SQLITE_READONLY_DBMOVED), StoreError, "rights"),
        (_code(sqlite3.SQLITE_CANTOPEN), StoreError, "rights"),
        (_code(sqlite3.SQLITE_IOERR_WRITE), StoreError, "what SQLite says"),
        (sqlite3.ProgrammingError("what SQLite says"), StoreError, "what SQLite says"),
    ],
)
def test_what_sqlite_says_is_explained(
    tmp_path: Path, problem: sqlite3.Error, kind: type[StoreError], says: str
) -> None:
    """With the file and what to do about it."""
    with pytest.raises(kind, match=says) as error, explained(tmp_path):
        raise problem
    assert str(tmp_path) in str(error.value)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    """SQLite refuses, and so the store cannot be harmed by who looks at it."""
    filled(tmp_path / "events.db", (1, 3)).close()
    connection = connect(tmp_path / "events.db", read_only=True)
    with pytest.raises(StoreError, match="readonly"), explained(tmp_path):
        connection.execute("DELETE FROM events")
    connection.close()


def test_a_file_that_was_taken_away_has_no_size(tmp_path: Path) -> None:
    """Another one has its own."""
    path = tmp_path / "file"
    assert size_bytes(path) == 0
    path.write_bytes(b"12345")
    assert size_bytes(path) == 5
