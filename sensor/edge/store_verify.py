# SPDX-License-Identifier: Apache-2.0
"""Verifying: the chain of seals is walked and everything that it covers is hashed again.

A store in use can be verified: each step reads one moment of it, and neither
holds up the writer nor keeps its log from being used again.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sensor.core.seal import Hole, Seal, digest, first_difference, marks, seal, tiles
from sensor.edge.store_retention import anchor
from sensor.errors import DamagedStoreError
from sensor.wire.block import unpack
from sensor.wire.row import record

if TYPE_CHECKING:
    from collections.abc import Callable

_SEALS = 16
"""That one step goes over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """All is as it was written, from ``first_seq`` on; ``head`` is the seal to note down.

    ``unstored`` seqs lie in ``holes`` declared holes. What was before
    ``first_seq`` was dropped by retention.
    """

    first_seq: int
    rows: int = 0
    holes: int = 0
    unstored: int = 0
    head: Seal


@dataclass(frozen=True, slots=True)
class Broken:
    """All before ``first_seq`` is as it was written; this is not, and why."""

    first_seq: int
    why: str


class _BreakError(Exception):
    """Ends the walk where the chain breaks."""

    def __init__(self, first_seq: int, why: str) -> None:
        super().__init__(why)
        self.broken = Broken(first_seq, why)


def verify(
    connection: sqlite3.Connection, progress: Callable[[int], None], *, known: Seal | None = None
) -> Verified | Broken:
    """Walk the whole chain; ``progress`` is told the last seq of each step."""
    walk = _Walk(connection, known)
    # Text that is no UTF-8 was not written by us: it has to be read to be seen as changed.
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        while walk.step():
            progress(walk.head.last_seq)
    except _BreakError as found:
        return found.broken
    except sqlite3.Error as problem:
        return Broken(walk.head.last_seq + 1, f"the file is damaged: {problem}")
    finally:
        connection.text_factory = str
    return walk.seen


class _Walk:
    """Where verifying is: everything up to ``head`` is as it was written."""

    def __init__(self, connection: sqlite3.Connection, known: Seal | None) -> None:
        self._connection = connection
        self._known = known
        self._begin(Seal(n=-1, first_seq=0, last_seq=0, hash=b""))

    def _begin(self, start: Seal) -> None:
        self.head = start
        self.seen = Verified(first_seq=start.last_seq + 1, head=start)

    def step(self) -> bool:
        """Verify some seals, as they are at one moment. False when there are no more."""
        self._connection.execute("BEGIN")
        try:
            dropped = anchor(self._connection)
            if not _is_seal(dropped):
                raise _BreakError(1, "what retention left as the chain's beginning was changed")
            if dropped.n > self.head.n:
                # The first step, or retention overtook us and all that we saw is gone.
                self._begin(dropped)
                self._compare_known()
            self._nothing("<=", dropped.last_seq, "before what retention left")
            found = self._connection.execute(
                "SELECT n, first_seq, last_seq, hash, marks FROM seals WHERE n > ?"
                " ORDER BY n LIMIT ?",
                (self.head.n, _SEALS),
            ).fetchall()
            for n, first_seq, last_seq, chained, kept in found:
                self._verify(Seal(n=n, first_seq=first_seq, last_seq=last_seq, hash=chained), kept)
            if not found:
                self._end()
        finally:
            self._connection.execute("ROLLBACK")
        return bool(found)

    def _verify(self, found: Seal, kept: object) -> None:
        """Verify one batch and go on to its end, or raise where it breaks."""
        following = self.head.last_seq + 1
        if not _is_seal(found) or not isinstance(kept, bytes):
            raise _BreakError(following, f"seal {found.n} holds what no seal holds")
        if (found.n, found.first_seq) != (self.head.n + 1, following):
            raise _BreakError(following, f"a seal is missing before seal {found.n}")
        rows, holes = self._rows(found), self._holes(found)
        digests = [one for _, one in rows]
        wanted = seal(self.head, last_seq=found.last_seq, digests=digests, holes=holes)
        if wanted.hash != found.hash or marks(digests) != kept:
            raise _BreakError(
                first_difference(found, kept, rows, holes), f"it is not what seal {found.n} sealed"
            )
        if not tiles(found, [seq for seq, _ in rows], holes):
            raise _BreakError(following, f"seal {found.n} leaves out events that it covers")
        self.head = found
        self._compare_known()
        self.seen = replace(
            self.seen,
            rows=self.seen.rows + len(rows),
            holes=self.seen.holes + len(holes),
            unstored=self.seen.unstored + sum(h.last_seq - h.first_seq + 1 for h in holes),
            head=found,
        )

    def _rows(self, found: Seal) -> list[tuple[int, bytes]]:
        """Return seq and digest of each event of a batch, also of bodies that have no event."""
        bodies = self._bodies(found)
        rows = self._connection.execute(
            "SELECT * FROM events WHERE seq BETWEEN ? AND ? ORDER BY seq",
            (found.first_seq, found.last_seq),
        )
        seen = [(row[0], digest(record((*row, bodies.pop(row[0], None))))) for row in rows]
        return sorted(seen + [(seq, b"") for seq in bodies])

    def _bodies(self, found: Seal) -> dict[int, bytes]:
        bodies: dict[int, bytes] = {}
        for first_seq, block in self._connection.execute(
            "SELECT first_seq, bodies FROM blocks WHERE first_seq BETWEEN ? AND ?"
            " ORDER BY first_seq",
            (found.first_seq, found.last_seq),
        ):
            try:
                bodies.update(enumerate(unpack(block), first_seq))
            except DamagedStoreError:
                # Its events are found to have no body.
                continue
        return bodies

    def _holes(self, found: Seal) -> list[Hole]:
        holes = [
            Hole(*row)
            for row in self._connection.execute(
                "SELECT first_seq, last_seq, why FROM holes WHERE first_seq BETWEEN ? AND ?"
                " ORDER BY first_seq",
                (found.first_seq, found.last_seq),
            )
        ]
        for hole in holes:
            sane = isinstance(hole.last_seq, int) and isinstance(hole.why, str)
            if not sane or not hole.first_seq <= hole.last_seq <= found.last_seq:
                raise _BreakError(hole.first_seq, f"it is not what seal {found.n} sealed")
        return holes

    def _compare_known(self) -> None:
        if self._known and self._known.n == self.head.n and self._known.hash != self.head.hash:
            raise _BreakError(
                self.head.first_seq, f"seal {self.head.n} is not the one that was noted down"
            )

    def _end(self) -> None:
        """Make sure that nothing follows the last seal, and that it is not before the known one."""
        self._nothing(">", self.head.last_seq, "after the last seal")
        if self._known and self._known.n > self.head.n:
            raise _BreakError(
                self.head.last_seq + 1, f"the chain ends before the noted seal {self._known.n}"
            )

    def _nothing(self, beyond: str, seq: int, place: str) -> None:
        """Raise where there is an event, a body or a hole that no seal covers."""
        for table, column in (("events", "seq"), ("blocks", "first_seq"), ("holes", "first_seq")):
            (first,) = self._connection.execute(
                f"SELECT min({column}) FROM {table} WHERE {column} {beyond} ?",  # noqa: S608  # our own words
                (seq,),
            ).fetchone()
            if first is not None:
                raise _BreakError(first, f"it stands in {table} {place}")


def _is_seal(found: Seal) -> bool:
    """Tell whether the parts of a seal are of the right kind and order; SQLite keeps anything."""
    numbers = (found.n, found.first_seq, found.last_seq)
    return (
        all(isinstance(one, int) and one >= 0 for one in numbers)
        and isinstance(found.hash, bytes)
        and found.first_seq <= found.last_seq
    )
