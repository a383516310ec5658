# SPDX-License-Identifier: Apache-2.0
"""Retention drops whole batches from the old end, and what remains is still provable."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from support.rows import SECOND, WALL_NS, behind, filled, row, rows

from sensor.core.seal import Hole
from sensor.edge.store import Store
from sensor.edge.store_retention import Retained
from sensor.edge.store_verify import Verified

if TYPE_CHECKING:
    from pathlib import Path

PLENTY = 1 << 40
FOREVER_S = 1 << 31


def aged(store: Store, *, now_seq: int, max_age_s: int) -> Retained:
    """Drop by age, at the time at which an event happened."""
    return store.retain(
        max_age_s=max_age_s, max_bytes=PLENTY, now_wall_ns=WALL_NS + now_seq * SECOND
    )


@pytest.mark.parametrize(
    ("now_seq", "upto"), [(12, 0), (14, 0), (15, 4), (19, 4), (20, 9), (21, 10), (99, 10)]
)
def test_a_batch_goes_when_its_last_event_is_too_old(
    tmp_path: Path, now_seq: int, upto: int
) -> None:
    """Ten seconds are kept; the batches end at 4, 9 and 10."""
    with filled(tmp_path / "events.db", (1, 4), (5, 9), (10, 10)) as store:
        done = aged(store, now_seq=now_seq, max_age_s=10)
        assert done == Retained(seqs=upto, upto_seq=upto, more=False)
        assert [seq for seq, _ in store.read(1, 99)] == list(range(upto + 1, 11))
        assert (store.first_seq, store.last_seq) == (upto + 1, 10)
        verified = store.verify()
    assert isinstance(verified, Verified)
    assert (verified.first_seq, verified.rows) == (upto + 1, 10 - upto)


def test_the_chain_goes_on_after_everything_is_gone(tmp_path: Path) -> None:
    """The next batch follows the last one that was dropped; a new start goes on there too."""
    path = tmp_path / "events.db"
    with filled(path, (1, 4), (5, 9)) as store:
        aged(store, now_seq=99, max_age_s=10)
    with Store(path) as store:
        assert store.last_seq == 9
        assert store.append([row(10)]).n == 3
        assert isinstance(store.verify(), Verified)


def test_holes_go_with_their_batch(tmp_path: Path) -> None:
    """Nothing of a batch stays, and one of holes only is as old as what it follows."""
    path = tmp_path / "events.db"
    with filled(path, (1, 4)) as store:
        store.append([], [Hole(5, 9, "lost")])
        store.append(rows(10, 12))
        assert aged(store, now_seq=15, max_age_s=10).upto_seq == 9
    for table in ("events", "blocks", "holes", "seals"):
        count = f"SELECT count(*) FROM {table} WHERE rowid < 3"  # noqa: S608  # our own words
        assert behind(path, count) == [(0,)]


def test_a_store_stays_below_its_size(tmp_path: Path) -> None:
    """What is dropped makes room for what comes, and a file that is too large gets smaller."""
    path = tmp_path / "events.db"
    with Store(path) as store:
        for first in range(1, 8001, 200):
            noise = [one._replace(body=os.urandom(1000)) for one in rows(first, first + 199)]
            store.append(noise)
        large = store.sizes()
        done = Retained(seqs=0, upto_seq=0, more=True)
        while done.more:
            done = store.retain(max_age_s=FOREVER_S, max_bytes=2 << 20, now_wall_ns=WALL_NS)
        behind(path, "PRAGMA wal_checkpoint(TRUNCATE)")
        small = store.sizes()
        verified = store.verify()
    assert large.used_bytes > 8 << 20
    assert small.used_bytes <= 2 << 20
    assert small.file_bytes < large.file_bytes // 2
    assert isinstance(verified, Verified)
    assert verified.first_seq == done.upto_seq + 1
    assert verified.rows == 8000 - done.upto_seq > 1000


def test_the_writer_is_not_held_up(tmp_path: Path) -> None:
    """A bounded number of events goes at once; the rest at the next call."""
    with Store(tmp_path / "events.db") as store:
        for first in range(1, 45_001, 5000):
            store.append(rows(first, first + 4999))
        calls = [aged(store, now_seq=99_999, max_age_s=10) for _ in range(3)]
    assert [(done.seqs, done.more) for done in calls] == [
        (20_000, True),
        (20_000, True),
        (5000, False),
    ]


def test_retention_that_fails_drops_nothing(tmp_path: Path) -> None:
    """All or nothing: the chain is never left without its beginning."""
    path = tmp_path / "events.db"
    filled(path, (1, 4), (5, 9)).close()
    behind(path, "DROP TABLE holes", "CREATE TABLE holes (other)")
    with Store(path) as store:
        with pytest.raises(Exception, match="no such column"):
            aged(store, now_seq=99, max_age_s=10)
        assert len(store.read(1, 99)) == 9
