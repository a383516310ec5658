# SPDX-License-Identifier: Apache-2.0
"""The queue keeps to its bound, and every row it was offered is in it, stored, or missing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.rows import row, rows

from sensor.core.seal import Hole
from sensor.edge.store_queue import ROW_BYTES, Queue

LOST = Hole(1, 9, "lost")


def queue_of(most_rows: int, *, lost: Hole | None = None) -> Queue:
    """Return a queue with room for so many rows."""
    size = ROW_BYTES + len(row(100).body)
    return Queue(most_bytes=most_rows * size, told_seq=99, lost=lost)


def test_rows_stay_until_they_are_stored() -> None:
    """Taking a batch takes nothing away."""
    queue = queue_of(10)
    queue.offer(rows(100, 104), why="?")
    for _ in range(2):
        assert queue.batch(3) == (rows(100, 102), ())
    queue.remove(rows(100, 102), last_seq=102)
    assert queue.batch(3) == (rows(103, 104), ())
    queue.remove(rows(103, 104), last_seq=104)
    assert queue.is_idle
    assert queue.size_bytes == 0


def test_a_full_queue_makes_one_hole_until_half_is_gone() -> None:
    """And says how many rows are not in it."""
    queue = queue_of(4)
    queue.offer(rows(100, 103), why="?")
    queue.offer(rows(104, 105), why="full")
    queue.remove(rows(100, 100), last_seq=100)
    queue.offer(rows(106, 106), why="still full")
    queue.remove(rows(101, 102), last_seq=102)
    queue.offer(rows(107, 107), why="?")
    assert queue.batch(9) == ([row(103), row(107)], (Hole(104, 106, "still full"),))
    assert (queue.unstored, queue.told_seq) == (3, 107)
    queue.remove([row(103), row(107)], last_seq=107)
    assert queue.is_idle


def test_an_empty_queue_takes_more_than_its_bound() -> None:
    """Or one large turn of the loop could never be stored."""
    queue = queue_of(4)
    queue.offer(rows(100, 199), why="?")
    assert len(queue) == 100
    assert queue.unstored == 0


def test_what_was_lost_before_is_missing_from_the_beginning() -> None:
    """It can be declared before any row comes."""
    queue = queue_of(4, lost=LOST)
    assert not queue.is_idle
    assert queue.batch(9) == ([], (LOST,))
    queue.remove([], last_seq=9)
    assert queue.is_idle


def test_what_is_declared_gets_no_larger() -> None:
    """A queue that ran empty while it left rows out begins a new hole."""
    queue = queue_of(1)
    queue.offer(rows(100, 100), why="?")
    queue.offer(rows(101, 101), why="full")
    queue.remove(rows(100, 100), last_seq=100)
    assert queue.batch(9) == ([], (Hole(101, 101, "full"),))
    queue.offer(rows(102, 102), why="?")
    queue.offer(rows(103, 103), why="full")
    assert queue.missing == [Hole(101, 101, "full"), Hole(103, 103, "full")]


def test_who_gives_up_keeps_nothing() -> None:
    """The next run declares it."""
    queue = queue_of(1)
    queue.offer(rows(100, 100), why="?")
    queue.offer(rows(101, 101), why="full")
    queue.clear()
    assert queue.is_idle
    assert queue.size_bytes == 0
    queue.offer(rows(102, 110), why="?")
    queue.offer(rows(111, 111), why="full")
    assert queue.missing == [Hole(111, 111, "full")]


@given(st.lists(st.integers(1, 8) | st.just(-1)))
def test_no_row_is_forgotten(turns: list[int]) -> None:
    """Whatever comes and goes: each row is stored, or in exactly one range that is missing."""
    queue, seq, stored, missing = queue_of(10), 100, set[int](), set[int]()
    for turn in [*turns, *[-1] * 99]:
        if turn > 0:
            queue.offer(rows(seq, seq + turn - 1), why="?")
            seq += turn
            continue
        batch, holes = queue.batch(3)
        last_seq = batch[-1].seq if batch else seq - 1
        queue.remove(batch, last_seq=last_seq)
        gone = [hole for hole in holes if hole.last_seq <= last_seq]
        new = {one for hole in gone for one in range(hole.first_seq, hole.last_seq + 1)}
        assert not new & missing
        missing |= new
        stored |= {one.seq for one in batch}
    assert not stored & missing
    assert stored | missing == set(range(100, seq))
    assert len(missing) == queue.unstored
