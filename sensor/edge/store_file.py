# SPDX-License-Identifier: Apache-2.0
"""The store's file: found or made, opened by SQLite, and what SQLite says in our words.

It is never opened beside SQLite: closing it would let go of the locks that
SQLite holds in this process (https://sqlite.org/howtocorrupt.html, section 2.2).
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sensor.errors import BadInputError, DamagedStoreError, NotPermittedError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WAIT_S = 5.0
"""For another process's lock; readers hold none that a writer waits for."""

_SMALLEST_BYTES = 512
"""Of a page, and so of a database. SQLite takes what is smaller for empty, and overwrites it."""


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open a file for SQLite; a writer makes an empty one where there is none.

    Raises BadInputError for what can be no store, before SQLite sees it.
    """
    _look_at(path, make=not read_only)
    with explained(path):
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode={'ro' if read_only else 'rw'}",
            uri=True,
            isolation_level=None,
            timeout=_WAIT_S,
            check_same_thread=False,  # a thread may take a store over; two never use it at once
        )
        if read_only:
            # Nothing can be written here; it makes SQLite open a file that was cut short,
            # so that what is left of it can be read, and verified up to where it ends.
            connection.execute("PRAGMA writable_schema = ON")
        return connection


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells one file from another, None where there is none.

    SQLite goes on writing to a file that nobody can find any more.
    """
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _look_at(path: Path, *, make: bool) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        if not make:
            raise BadInputError(
                f"{path}: there is no store; start the sensor, or name another place with"
                " --state-dir"
            ) from None
        _make(path)
        return
    except PermissionError as problem:
        raise NotPermittedError(f"{path}: {problem.strerror}; run it as root") from problem
    except OSError as problem:
        raise BadInputError(f"{path}: {problem.strerror}; name another place") from problem
    if not stat.S_ISREG(found.st_mode):
        raise BadInputError(f"{path} is no plain file; move it away, or name another place")
    if 0 < found.st_size < _SMALLEST_BYTES:
        raise foreign(path)


def _make(path: Path) -> None:
    """Make an empty file that only its owner can read: it tells what others run."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except OSError as problem:
        raise BadInputError(f"{path}: {problem.strerror}; make its folder first") from problem


def size_bytes(path: Path) -> int:
    """Measure a file; one that was taken away has no size."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite says into one of our errors, with what to do about it."""
    try:
        yield
    except sqlite3.Error as problem:
        raise _error(path, problem) from problem


def _error(path: Path, problem: sqlite3.Error) -> Exception:
    # The low byte is the error, the rest says where it arose: https://sqlite.org/rescode.html
    match getattr(problem, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_NOTADB:
            return foreign(path)
        case sqlite3.SQLITE_FULL:
            return StoreError(f"{path}: no space left on the device; make room there")
        case sqlite3.SQLITE_CORRUPT:
            return DamagedStoreError(
                f"{path}: {problem}; `agent-sensor verify` tells how far it is whole, then move it"
                " away: the sensor makes a new one"
            )
        # SQLite keeps to itself why: https://sqlite.org/rescode.html#cantopen
        case sqlite3.SQLITE_CANTOPEN if os.access(path, os.F_OK) and not os.access(path, os.R_OK):
            return NotPermittedError(f"{path}: Permission denied; run it as root")
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return StoreError(f"{path}: {problem}; look at the rights of the file and its folder")
        case _:
            return StoreError(f"{path}: {problem}")


def foreign(path: Path) -> BadInputError:
    """Say that a file is not ours."""
    return BadInputError(
        f"{path} is no store of agent-sensor and was not touched; move it away, or name another"
        " place with --state-dir"
    )
