# SPDX-License-Identifier: Apache-2.0
"""The store: events that stay, in SQLite, sealed batch by batch. docs/store.md has its tables.

One process writes, any number read; nobody waits for another
(https://sqlite.org/wal.html). A batch is there with its seal or not at all.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sensor.core.filter import EVERYTHING
from sensor.core.seal import Hole, Seal, digest, marks, seal, tiles
from sensor.edge.store_file import connect, explained, identity, size_bytes
from sensor.edge.store_insert import insert
from sensor.edge.store_query import begun, where, with_bodies
from sensor.edge.store_retention import anchor, newest, retain, used_bytes
from sensor.edge.store_schema import check, prepare
from sensor.edge.store_verify import verify
from sensor.errors import BadInputError, StoreError
from sensor.wire.block import blocks
from sensor.wire.row import record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sensor.core.filter import Filter
    from sensor.edge.store_retention import Retained
    from sensor.edge.store_verify import Broken, Verified
    from sensor.wire.row import Row

LEASE = 1_000_000
"""Seqs that are reserved ahead: at the rate that the sensor holds, those of ten seconds."""

_CACHE_KIB = 256
"""For pages, in each connection: SQLite's own 2 MiB spare 5 % of the CPU time of a batch."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where a run goes on; ``lost`` may have been told and was never stored.

    ``reserved_seq`` is the first that a later run may use again after a loss of power.
    """

    next_seq: int
    lost: Hole | None
    reserved_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How large the store is: its files, and what of the first is in use."""

    file_bytes: int
    log_bytes: int
    used_bytes: int


class Store:
    """The store at ``path``; a writer makes it where there is none, and brings old tables along.

    Raises BadInputError for what is no store or a later version's, UnsupportedError
    for a file system that cannot hold one. All methods raise StoreError where the
    store cannot be reached, and DamagedStoreError where it is not what was written.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path.absolute()
        self._read_only = read_only
        self._head: Seal | None = None
        self._connection = connect(self.path, read_only=read_only)
        self._file = identity(self.path)
        try:
            with explained(self.path):
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        (check if self._read_only else prepare)(self._connection, self.path)
        self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        if self._read_only:
            return
        # Whole after kill -9; a loss of power may take the last commits, but not the order.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA secure_delete = FAST")
        self._connection.execute("PRAGMA journal_size_limit = 67108864")
        self._load()

    def _load(self) -> Seal:
        self._head = newest(self._connection)
        return self._head

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @property
    def last_seq(self) -> int:
        """The newest seq that is stored or declared missing, 0 where nothing is."""
        if self._head:
            return self._head.last_seq
        with explained(self.path):
            return (newest(self._connection) if self._read_only else self._load()).last_seq

    @property
    def first_seq(self) -> int:
        """The oldest seq that retention left."""
        with explained(self.path):
            return anchor(self._connection).last_seq + 1

    def begin(self, told_seq: int | None = None) -> Begun:
        """Start a run: say where seqs go on, and what the one before told and did not keep.

        ``told_seq`` is the last that it told. Where that is not known, as after
        a reboot, it is any that was reserved. On a full disk nothing is reserved.
        """
        with explained(self.path):
            row = self._connection.execute("SELECT value FROM meta WHERE name = 'lease'").fetchone()
            stored = self.last_seq
            unused = told_seq + 1 if told_seq is not None else row[0] if row else 1
            following, lost = max(unused, stored + 1), None
            if following > stored + 1:
                lost = Hole(stored + 1, following - 1, "the sensor ended before it was stored")
        with suppress(StoreError):
            return Begun(following, lost, self.reserve(following + LEASE - 1))
        return Begun(following, lost, following)

    def reserve(self, upto_seq: int) -> int:
        """Make sure that no later run uses a seq up to this one. Returns the first not reserved."""
        with explained(self.path):
            self._lease(upto_seq + 1)
        return upto_seq + 1

    def finish(self, next_seq: int) -> None:
        """End a run: seqs from ``next_seq`` on were told to nobody."""
        with explained(self.path):
            self._lease(next_seq)

    def _lease(self, end: int) -> None:
        # Whoever was told a seq may live elsewhere: this has to outlast a loss of power.
        self._connection.execute("PRAGMA synchronous = FULL")
        try:
            self._connection.execute("REPLACE INTO meta VALUES ('lease', ?)", (end,))
        finally:
            self._connection.execute("PRAGMA synchronous = NORMAL")

    def append(self, rows: Sequence[Row], holes: Sequence[Hole] = ()) -> Seal:
        """Store a batch: with its holes it goes on where the last one ended, and skips nothing.

        Raises BadInputError where it does not.
        """
        with explained(self.path):
            previous = self._head or self._load()
            last_seq = max([row.seq for row in rows[-1:]] + [hole.last_seq for hole in holes[-1:]])
            digests = [digest(record(row)) for row in rows]
            made = seal(previous, last_seq=last_seq, digests=digests, holes=holes)
            if not tiles(made, [row.seq for row in rows], holes):
                raise BadInputError(
                    f"a batch from {made.first_seq} to {last_seq} has events missing or twice"
                )
            if identity(self.path) != self._file:
                raise StoreError(
                    f"{self.path} was removed or replaced; put it back, or start the sensor again"
                )
            # Whatever happens now, what is the newest seal is for the file to say.
            self._head = None
            try:
                self._write(rows, holes, made, marks(digests))
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._head = made
        return made

    def _write(self, rows: Sequence[Row], holes: Sequence[Hole], made: Seal, kept: bytes) -> None:
        packed = list(blocks(rows))
        times = [row.wall_ns for row in rows]
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        insert(self._connection, rows)
        self._connection.executemany("INSERT INTO blocks VALUES (?, ?)", packed)
        self._connection.executemany(
            "INSERT INTO holes VALUES (?, ?, ?)",
            [(hole.first_seq, hole.last_seq, hole.why) for hole in holes],
        )
        execute(
            "INSERT INTO seals VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(made.n, made.first_seq, made.last_seq),
                *(min(times, default=None), max(times, default=None), made.hash, kept),
            ),
        )
        execute("COMMIT")

    def read(
        self,
        first: int,
        last: int,
        filter: Filter = EVERYTHING,  # noqa: A002  # the word of the whole stream
        limit: int = 256,
    ) -> list[tuple[int, bytes]]:
        """Return the oldest events from ``first`` to ``last`` that pass: seq and body."""
        condition, values = where(filter)
        with explained(self.path):
            self._connection.execute("BEGIN")
            try:
                found = self._connection.execute(
                    f"SELECT seq FROM events WHERE seq BETWEEN ? AND ? AND {condition}"  # noqa: S608  # see store_query
                    " ORDER BY seq LIMIT ?",
                    [first, last, *values, limit],
                ).fetchall()
                return with_bodies(self._connection, self.path, [seq for (seq,) in found])
            finally:
                self._connection.execute("COMMIT")

    def running(self, first: int) -> list[tuple[int, bytes]]:
        """Return the beginnings from ``first`` on of sessions that have not ended since."""
        with explained(self.path):
            self._connection.execute("BEGIN")
            try:
                return with_bodies(self._connection, self.path, begun(self._connection, first))
            finally:
                self._connection.execute("COMMIT")

    def last_event(self) -> tuple[int, bytes] | None:
        """Return the newest event that is kept, None where none is: behind it may be holes."""
        with explained(self.path):
            (seq,) = self._connection.execute("SELECT max(seq) FROM events").fetchone()
        return None if seq is None else self.read(seq, seq)[0]

    def first_at(self, wall_ns: int) -> int | None:
        """Return the seq of the first event at this Unix time or later; None: none is stored."""
        with explained(self.path):
            row = self._connection.execute(
                "SELECT events.seq FROM seals JOIN events"
                " ON events.seq BETWEEN seals.first_seq AND seals.last_seq"
                " WHERE n = (SELECT min(n) FROM seals WHERE high_wall_ns >= :at)"
                " AND wall_ns >= :at ORDER BY events.seq LIMIT 1",
                {"at": wall_ns},
            ).fetchone()
        return row[0] if row else None

    def retain(self, *, max_age_s: int, max_bytes: int, now_wall_ns: int) -> Retained:
        """Drop the oldest batches that are too old or too many, a bounded number of them."""
        with explained(self.path):
            return retain(
                self._connection,
                older_wall_ns=now_wall_ns - max_age_s * 1_000_000_000,
                max_bytes=max_bytes,
                now_wall_ns=now_wall_ns,
            )

    def verify(
        self, progress: Callable[[int], None] = lambda _seq: None, *, known: Seal | None = None
    ) -> Verified | Broken:
        """Prove that nothing was changed, or name the first seq that is not as it was written.

        ``known`` is a seal noted down earlier, elsewhere. Without one, it is not
        shown that nobody wrote a whole new chain, or took its end away.
        """
        return verify(self._connection, progress, known=known)

    def sizes(self) -> Sizes:
        """Measure the store. Files that were taken away have no size; what is open counts still."""
        log = self.path.with_name(f"{self.path.name}-wal")
        with explained(self.path):
            used = used_bytes(self._connection)
        return Sizes(
            file_bytes=size_bytes(self.path),
            log_bytes=size_bytes(log),
            used_bytes=used,
        )
