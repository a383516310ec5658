# SPDX-License-Identifier: Apache-2.0
"""Whatever is done to a stored event, verifying names the first one that is not as it was."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import msgpack
import pytest
from support.rows import SECOND, WALL_NS, behind, filled, row, rows

from sensor.core.seal import GENESIS, Hole, Seal, digest, marks, seal
from sensor.edge.store import Store
from sensor.edge.store_verify import Broken, Verified
from sensor.errors import DamagedStoreError
from sensor.wire.block import pack
from sensor.wire.row import record

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = (
    *("wall_ns", "kind", "verdict", "tool", "vendor", "session", "uid", "user", "exe"),
    *("endpoint", "name", "ip"),
)
EDITS = [f"{column} = {value}" for column in COLUMNS for value in ("'x'", "x'ff'")]


def three_batches(path: Path) -> None:
    """Make a store of events 1 to 300, of which 250 to 259 are a hole, in three batches."""
    with filled(path, (1, 100), (101, 200)) as store:
        store.append([*rows(201, 249), *rows(260, 300)], [Hole(250, 259, "known")])


def verified(path: Path, *, known: Seal | None = None) -> Verified | Broken:
    """Verify a store."""
    with Store(path, read_only=True) as store:
        return store.verify(known=known)


def test_an_untouched_store_is_whole(tmp_path: Path) -> None:
    """It says how much there is, and which seal to note down."""
    path = tmp_path / "events.db"
    three_batches(path)
    found = verified(path)
    assert isinstance(found, Verified)
    assert (found.first_seq, found.rows, found.holes, found.unstored) == (1, 290, 1, 10)
    assert (found.head.n, found.head.last_seq) == (3, 300)


def test_an_empty_store_is_whole(tmp_path: Path) -> None:
    """There is nothing that could have been changed."""
    Store(tmp_path / "events.db").close()
    assert verified(tmp_path / "events.db") == Verified(first_seq=1, head=GENESIS)


@pytest.mark.parametrize(
    ("first", "statements"),
    [
        *[(142, [f"UPDATE events SET {one} WHERE seq = 142"]) for one in EDITS],  # noqa: S608  # ours
        (142, ["UPDATE events SET tool = CAST(x'fffe' AS TEXT) WHERE seq IN (142, 150)"]),
        (142, ["UPDATE events SET uid = 1.5 WHERE seq = 142"]),
        (142, ["UPDATE events SET verdict = NULL WHERE seq = 142"]),
        # Deleted: one, the first and last of a batch, all of a batch.
        (142, ["DELETE FROM events WHERE seq = 142"]),
        (1, ["DELETE FROM events WHERE seq = 1"]),
        (200, ["DELETE FROM events WHERE seq = 200"]),
        (300, ["DELETE FROM events WHERE seq = 300"]),
        (101, ["DELETE FROM events WHERE seq BETWEEN 101 AND 200"]),
        # Inserted: into a hole, before the first, after the last.
        (255, ["INSERT INTO events SELECT 255, 1, 'x', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1"]),
        (-1, ["INSERT INTO events SELECT -1, 1, 'x', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1"]),
        (301, ["INSERT INTO events SELECT 301, 1, 'x', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1"]),
        # Swapped.
        (
            42,
            [
                "UPDATE events SET seq = -1 WHERE seq = 42",
                "UPDATE events SET seq = 42 WHERE seq = 142",
                "UPDATE events SET seq = 142 WHERE seq = -1",
            ],
        ),
        (
            129,
            [
                "UPDATE events SET seq = -1 WHERE seq = 129",
                "UPDATE events SET seq = 129 WHERE seq = 130",
                "UPDATE events SET seq = 130 WHERE seq = -1",
            ],
        ),
        # Bodies: another, none, no block at all, one too many, moved.
        (165, ["UPDATE blocks SET bodies = x'00' WHERE first_seq = 165"]),
        (165, ["UPDATE blocks SET bodies = 'text' WHERE first_seq = 165"]),
        (165, ["DELETE FROM blocks WHERE first_seq = 165"]),
        (250, ["INSERT INTO blocks SELECT 250, bodies FROM blocks WHERE first_seq = 1"]),
        (400, ["INSERT INTO blocks SELECT 400, bodies FROM blocks WHERE first_seq = 1"]),
        (101, ["UPDATE blocks SET first_seq = 102 WHERE first_seq = 101"]),
        # Holes: forgotten, moved, of another reason, invented, of a wrong kind.
        (250, ["DELETE FROM holes"]),
        (259, ["UPDATE holes SET last_seq = 258"]),
        (250, ["UPDATE holes SET last_seq = 999"]),
        (250, ["UPDATE holes SET last_seq = 'x'"]),
        (201, ["UPDATE holes SET why = 'all is well'"]),
        (142, ["INSERT INTO holes VALUES (142, 142, 'x')", "DELETE FROM events WHERE seq = 142"]),
        (400, ["INSERT INTO holes VALUES (400, 401, 'x')"]),
        # Seals: dropped, changed, of a wrong kind, renumbered.
        (1, ["DELETE FROM seals WHERE n = 1"]),
        (101, ["DELETE FROM seals WHERE n = 2"]),
        (201, ["DELETE FROM seals WHERE n = 3"]),
        (1, ["DELETE FROM seals"]),
        (101, ["UPDATE seals SET hash = x'00' WHERE n = 2"]),
        (101, ["UPDATE seals SET hash = 'text' WHERE n = 2"]),
        (101, ["UPDATE seals SET marks = 7 WHERE n = 2"]),
        (101, ["UPDATE seals SET marks = x'00' WHERE n = 2"]),
        (101, ["UPDATE seals SET last_seq = 'x' WHERE n = 2"]),
        (101, ["UPDATE seals SET last_seq = 50 WHERE n = 2"]),
        (101, ["UPDATE seals SET first_seq = 102 WHERE n = 2"]),
        (200, ["UPDATE seals SET last_seq = 199 WHERE n = 2"]),
        (201, ["UPDATE seals SET n = 4 WHERE n = 3"]),
        # A made-up beginning.
        (1, ["INSERT INTO anchor VALUES (1, 1, 100, 'text', 0)"]),
        (1, ["INSERT INTO anchor VALUES (1, 1, 100, x'00', 0)"]),
        (
            101,
            [
                "INSERT INTO anchor VALUES (1, 1, 100, x'00', 0)",
                "DELETE FROM events WHERE seq <= 100",
                "DELETE FROM blocks WHERE first_seq <= 100",
            ],
        ),
    ],
)
def test_the_first_change_is_named(tmp_path: Path, first: int, statements: list[str]) -> None:
    """Edited, deleted, inserted or swapped; columns, bodies, holes, seals or the beginning."""
    path = tmp_path / "events.db"
    three_batches(path)
    behind(path, *statements)
    found = verified(path)
    assert isinstance(found, Broken)
    assert found.first_seq == first, found.why


def test_an_edited_body_is_named(tmp_path: Path) -> None:
    """One body of a block, put back as neatly as it was."""
    path = tmp_path / "events.db"
    three_batches(path)
    ((block,),) = behind(path, "SELECT bodies FROM blocks WHERE first_seq = 101")
    assert isinstance(block, bytes)
    bodies = msgpack.unpackb(zlib.decompress(block))
    bodies[9] = b"nothing to see here"
    behind(path, "UPDATE blocks SET bodies = ? WHERE first_seq = 101", values=[pack(bodies)])
    found = verified(path)
    assert found == Broken(110, "it is not what seal 2 sealed")


def test_a_file_that_was_cut_is_whole_up_to_somewhere(tmp_path: Path) -> None:
    """At any length it is found broken: at its beginning, or where the cut is."""
    path = tmp_path / "events.db"
    with filled(path, *((first, first + 99) for first in range(1, 20_000, 100))):
        pass
    whole = path.read_bytes()
    firsts = []
    for share in range(1, 24):
        path.write_bytes(whole[: len(whole) * share // 24])
        found = verified(path)
        assert isinstance(found, Broken)
        firsts.append(found.first_seq)
    assert firsts[0] <= 1
    assert firsts[-1] > 15_000


def test_a_file_with_a_part_that_is_garbage_is_whole_up_to_it(tmp_path: Path) -> None:
    """A writer refuses it, and says what to do."""
    path = tmp_path / "events.db"
    with filled(path, *((first, first + 99) for first in range(1, 20_000, 100))):
        pass
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2 // 4096 * 4096
    whole[middle : middle + 40_960] = b"\xff" * 40_960
    path.write_bytes(whole)
    found = verified(path)
    assert isinstance(found, Broken)
    assert 5000 < found.first_seq < 15_000
    assert "the file is damaged" in found.why


def test_a_writer_does_not_go_on_in_a_file_that_was_cut(tmp_path: Path) -> None:
    """It says how to find out what is left, and what to do."""
    path = tmp_path / "events.db"
    three_batches(path)
    path.write_bytes(path.read_bytes()[:-4096])
    with pytest.raises(DamagedStoreError, match=r"agent-sensor verify.*move it away"):
        Store(path)


def test_a_chain_that_lost_its_end_is_found_by_a_noted_seal(tmp_path: Path) -> None:
    """Without one it cannot be found; that is what noting is for."""
    path = tmp_path / "events.db"
    three_batches(path)
    before = verified(path)
    assert isinstance(before, Verified)
    behind(
        path,
        "DELETE FROM seals WHERE n = 3",
        "DELETE FROM events WHERE seq > 200",
        "DELETE FROM blocks WHERE first_seq > 200",
        "DELETE FROM holes",
    )
    assert isinstance(verified(path), Verified)
    assert verified(path, known=before.head) == Broken(
        201, "the chain ends before the noted seal 3"
    )


def test_a_chain_written_anew_is_found_by_a_noted_seal(tmp_path: Path) -> None:
    """Whoever writes all of it again comes to another hash."""
    three_batches(tmp_path / "true.db")
    with Store(tmp_path / "true.db") as store:
        noted = store.append(rows(301, 302))
        store.append(rows(303, 304))
    assert isinstance(verified(tmp_path / "true.db", known=noted), Verified)
    with filled(tmp_path / "false.db", (1, 100), (101, 200), (201, 300)) as store:
        store.append([row(301), row(302)])
    found = verified(tmp_path / "false.db", known=noted)
    assert found == Broken(301, "seal 4 is not the one that was noted down")


def test_a_noted_seal_may_be_the_last_that_retention_dropped(tmp_path: Path) -> None:
    """It is the beginning of the chain then, and can still be compared."""
    path = tmp_path / "events.db"
    three_batches(path)
    with Store(path) as store:
        first = store.append([row(301)])
        store.append([row(302)])
        store.retain(max_age_s=0, max_bytes=1 << 40, now_wall_ns=WALL_NS + 302 * SECOND)
        assert isinstance(store.verify(known=first), Verified)
        other = Seal(n=first.n, first_seq=301, last_seq=301, hash=bytes(32))
        assert isinstance(store.verify(known=other), Broken)


def test_retention_may_overtake_who_verifies(tmp_path: Path) -> None:
    """The walk goes on at the new beginning."""
    path = tmp_path / "events.db"
    told = []
    with filled(path, *((seq, seq) for seq in range(1, 61))) as store:

        def drop(seq: int) -> None:
            told.append(seq)
            store.retain(max_age_s=0, max_bytes=1 << 40, now_wall_ns=WALL_NS + 40 * SECOND)

        with Store(path, read_only=True) as reader:
            found = reader.verify(drop)
    assert isinstance(found, Verified)
    assert (found.first_seq, found.rows) == (40, 21)
    assert told == sorted(told)
    assert told[-1] == 60


def test_a_chain_that_covers_too_little_is_broken(tmp_path: Path) -> None:
    """A seal that somebody made over fewer events than its range has is no seal of ours."""
    path = tmp_path / "events.db"
    Store(path).close()
    one = row(1)
    digests = [digest(record(one))]
    made = seal(GENESIS, last_seq=5, digests=digests, holes=[])
    behind(
        path,
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values=one[:-1],
    )
    behind(path, "INSERT INTO blocks VALUES (1, ?)", values=[pack([one.body])])
    behind(
        path,
        "INSERT INTO seals VALUES (1, 1, 5, 0, 0, ?, ?)",
        values=[made.hash, marks(digests)],
    )
    assert verified(path) == Broken(1, "seal 1 leaves out events that it covers")
