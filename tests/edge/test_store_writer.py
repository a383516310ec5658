# SPDX-License-Identifier: Apache-2.0
"""The writer stores what it can, counts what it cannot, and holds nobody up."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.patience import is_readable
from support.rows import behind, locked, row, rows

from sensor.core.seal import UNKNOWN, Hole
from sensor.edge.store import LEASE, Store
from sensor.edge.store_verify import Verified
from sensor.edge.store_writer import Keep, Missed, Recovered, Stuck, Writer
from sensor.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.edge.store_writer import News

TESTS = Path(__file__).resolve().parent.parent
ALL = Keep(max_age_s=1 << 31, max_bytes=1 << 40)
DEADLINE_S = 60.0


def writer_of(path: Path, keep: Keep = ALL, *, queue_bytes: int = 1 << 20) -> tuple[Writer, int]:
    """Start a run and return its writer and its first seq."""
    store = Store(path)
    begun = store.begin()
    noted: list[int] = []
    return Writer(store, begun, keep, noted.append, queue_bytes=queue_bytes), begun.next_seq


def wait_for(writer: Writer, done: Callable[[], bool]) -> None:
    """Wait until something is so, as long as a loop would that has other things to do."""
    deadline = time.monotonic() + DEADLINE_S
    while not done():
        assert time.monotonic() < deadline
        is_readable(writer, 0.01)


def has_problem(writer: Writer) -> bool:
    """Tell whether the store cannot be written right now."""
    return writer.state().problem is not None


def until(writer: Writer, kind: type[News]) -> list[News]:
    """Return what the writer tells, up to the first of a kind."""
    told: list[News] = []
    while not any(isinstance(one, kind) for one in told):
        assert is_readable(writer, DEADLINE_S)
        told += writer.news()
    return told


def stored(path: Path) -> tuple[list[int], list[Hole]]:
    """Return the seqs and the holes of a store that is whole."""
    with Store(path, read_only=True) as store:
        found = store.verify()
        assert isinstance(found, Verified), found
        seqs = [seq for seq, _ in store.read(0, 1 << 62, limit=1 << 30)]
    holes = behind(path, "SELECT first_seq, last_seq, why FROM holes")
    return seqs, [Hole(int(str(one[0])), int(str(one[1])), str(one[2])) for one in holes]


def test_what_is_given_is_stored_in_batches(tmp_path: Path) -> None:
    """What comes within a tenth of a second shares a seal, and the end waits for all."""
    path = tmp_path / "events.db"
    writer, seq = writer_of(path)
    for one in rows(seq, seq + 99):
        writer.put([one])
    assert writer.close(seq + 100)
    assert stored(path) == (list(range(1, 101)), [])
    assert behind(path, "SELECT count(*) FROM seals") == [(1,)]
    with Store(path) as store:
        assert store.begin().lost is None


def test_a_row_alone_is_stored_soon(tmp_path: Path) -> None:
    """Nobody has to give a second one."""
    writer, seq = writer_of(tmp_path / "events.db")
    writer.put([row(seq)])
    wait_for(writer, lambda: writer.state().last_seq == seq)
    assert writer.state().waiting_bytes == 0
    assert writer.close(seq + 1)


def test_a_seq_is_noted_before_it_can_be_told(tmp_path: Path) -> None:
    """Also of rows that are left out: readers get them all the same."""
    store, noted = Store(tmp_path / "events.db"), list[int]()
    writer = Writer(store, store.begin(), ALL, noted.append, queue_bytes=1)
    with locked(tmp_path / "events.db"):
        writer.put(rows(1, 3))
        writer.put(rows(4, 6))
        assert noted == [3, 6]
        assert writer.state().unstored == 3
    writer.close(7)


def test_nothing_to_store_is_nothing(tmp_path: Path) -> None:
    """A run without events ends without a seal."""
    writer, seq = writer_of(tmp_path / "events.db")
    writer.put([])
    assert writer.close(seq)
    assert stored(tmp_path / "events.db") == ([], [])


def test_what_does_not_fit_is_one_declared_hole(tmp_path: Path) -> None:
    """A queue that is full takes nothing until half is gone, counts, and tells the range."""
    path = tmp_path / "events.db"
    writer, seq = writer_of(path, queue_bytes=100_000)
    with locked(path):
        for first in range(seq, 2001, 20):
            writer.put(rows(first, first + 19, pad=600))
        full = writer.state()
    assert full.waiting_bytes <= 100_000
    assert full.unstored == 2000 - full.waiting_rows > 1000
    told = until(writer, Missed)
    writer.put(rows(2001, 2010))
    assert writer.close(2011)
    seqs, holes = stored(path)
    hole = Hole(full.waiting_rows + 1, 2000, "more came than could be stored")
    assert holes == [hole]
    assert told == [Missed(hole)]
    assert seqs == [*range(1, full.waiting_rows + 1), *range(2001, 2011)]


def test_a_seq_that_never_came_is_declared(tmp_path: Path) -> None:
    """Also where nobody knows why."""
    path = tmp_path / "events.db"
    writer, seq = writer_of(path)
    writer.put([row(seq), row(seq + 5)])
    told = until(writer, Missed)
    assert writer.close(seq + 6)
    assert told == [Missed(Hole(2, 5, UNKNOWN))]
    assert stored(path) == ([1, 6], [Hole(2, 5, UNKNOWN)])


def test_what_the_last_run_lost_is_declared_and_not_told_again(tmp_path: Path) -> None:
    """Whoever began the run knows it already."""
    path = tmp_path / "events.db"
    with Store(path) as store:
        store.begin()
        store.append(rows(1, 3))
    writer, seq = writer_of(path)
    writer.put([row(seq)])
    wait_for(writer, lambda: writer.state().last_seq == seq)
    assert writer.news() == []
    assert writer.close(seq + 1)
    lost = Hole(4, LEASE, "the sensor ended before it was stored")
    assert stored(path) == ([1, 2, 3, LEASE + 1], [lost])


def test_a_row_that_is_there_already_is_not_stored_twice(tmp_path: Path) -> None:
    """A commit may have worked although it seemed to fail."""
    path = tmp_path / "events.db"
    writer, seq = writer_of(path)
    writer.put(rows(seq, seq + 1))
    wait_for(writer, lambda: writer.state().last_seq == seq + 1)
    writer.put(rows(seq, seq + 1))
    wait_for(writer, lambda: not writer.state().waiting_rows)
    writer.put(rows(seq + 1, seq + 3))
    assert writer.close(seq + 4)
    assert stored(path) == ([1, 2, 3, 4], [])


def test_seqs_are_reserved_ahead(tmp_path: Path) -> None:
    """However far the stream goes, a run that is killed leaves numbers behind that were told."""
    path = tmp_path / "events.db"
    writer, seq = writer_of(path)
    for first in range(seq, 3 * LEASE, LEASE // 4):
        writer.put([row(first)])
        wait_for(writer, lambda: not writer.state().waiting_rows)
        assert writer.state().reserved_seq >= first + LEASE // 2
    with Store(path) as other:
        assert other.begin().next_seq == writer.state().reserved_seq
    writer.close(first + 1)


def test_retention_works_while_events_come(tmp_path: Path) -> None:
    """The store stays near its size, and its beginning moves."""
    path = tmp_path / "events.db"
    writer, seq = writer_of(path, Keep(max_age_s=1 << 31, max_bytes=1 << 19))
    for first in range(seq, seq + 8000, 400):
        noise = [one._replace(body=os.urandom(500)) for one in rows(first, first + 399)]
        writer.put(noise)
        wait_for(writer, lambda: not writer.state().waiting_rows)
    assert writer.close(seq + 8000)
    with Store(path, read_only=True) as store:
        assert store.first_seq > 1000
        assert store.sizes().used_bytes < 3 << 20
    assert stored(path)[0][-1] == 8000


def test_a_retention_that_fails_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again later."""

    def fails(*_: object, **__: object) -> None:
        raise StoreError("no")

    monkeypatch.setattr(Store, "retain", fails)
    writer, seq = writer_of(tmp_path / "events.db")
    writer.put([row(seq)])
    assert writer.close(seq + 1)
    assert stored(tmp_path / "events.db") == ([1], [])


def test_a_store_that_stays_stuck_holds_up_no_end(tmp_path: Path) -> None:
    """There is one more try, and then the next run declares what is missing."""
    path = tmp_path / "events.db"
    writer, seq = writer_of(path)
    behind(path, "ALTER TABLE blocks RENAME TO elsewhere")
    writer.put(rows(seq, seq + 9))
    assert isinstance(until(writer, Stuck)[0], Stuck)
    state = writer.state()
    assert "no such table" in str(state.problem)
    assert not writer.close(seq + 10)
    behind(path, "ALTER TABLE elsewhere RENAME TO blocks")
    with Store(path) as store:
        begun = store.begin()
    assert begun.next_seq == 11
    assert begun.lost == Hole(1, 10, "the sensor ended before it was stored")


def test_an_end_does_not_wait_for_ever(tmp_path: Path) -> None:
    """Who holds the lock for longer than the end may take is not waited for."""
    path = tmp_path / "events.db"
    writer, seq = writer_of(path)
    with locked(path):
        writer.put([row(seq)])
        assert not writer.close(seq + 1, timeout_s=0.2)
    writer.close(seq + 1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_says_so(tmp_path: Path) -> None:
    """A row that is none is a mistake of ours; nobody is left in the belief that all is stored."""
    writer, seq = writer_of(tmp_path / "events.db")
    writer.put([row(seq)._replace(tool=object())])  # type: ignore[arg-type]  # the mistake
    assert until(writer, Stuck) == [
        Stuck("the thread that writes the store ended; start the sensor again")
    ]
    assert has_problem(writer)
    assert not writer.close(seq + 1)


@pytest.mark.kernel
def test_a_full_disk_stops_nothing_but_the_store(tmp_path: Path) -> None:
    """It tells, counts, reserves seqs all the same, and goes on by itself when there is room."""
    alone = ["unshare", "--mount", "--propagation", "private"]
    done = subprocess.run(
        [*alone, sys.executable, "-m", "support.filling", tmp_path],
        env={**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"},
        check=True,
        capture_output=True,
        timeout=3 * DEADLINE_S,
    )
    saw = json.loads(done.stdout)
    assert "no space left on the device" in saw["stuck"]
    assert saw["slowest_put_s"] < 0.1
    # While it was full: a later run would use no seq that was told.
    assert saw["lease_during"] == saw["reserved_during"] > saw["told"] > 3 * LEASE
    assert saw["stored_during"] < LEASE
    # Afterwards: everything is stored, or in a hole that was told.
    assert saw["unstored"] > 1000
    assert sum(last - first + 1 for first, last, _ in saw["missed"]) == saw["declared"]
    assert "the store could not be written" in {why for _, _, why in saw["missed"]}
    assert saw["rows"] + saw["declared"] == saw["last_seq"] == saw["told"]
    assert saw["in_time"]
    assert saw["next_seq"] == saw["next_seq_after_power_loss"] == saw["told"] + 1


def test_a_file_that_may_not_grow_stops_nothing_but_the_store(tmp_path: Path) -> None:
    """A limit on a file's size (RLIMIT_FSIZE) is told, and the store goes on when it is gone."""
    path = tmp_path / "events.db"
    writer, seq = writer_of(path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        while not has_problem(writer):
            writer.put([one._replace(body=os.urandom(2000)) for one in rows(seq, seq + 19)])
            seq += 20
            wait_for(writer, lambda: not writer.state().waiting_rows or has_problem(writer))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    told = until(writer, Recovered)
    assert isinstance(told[0], Stuck)
    assert writer.close(seq)
    assert stored(path) == (list(range(1, seq)), [])
