# SPDX-License-Identifier: Apache-2.0
"""A seal covers a range without a gap, and shows which event of it was changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.core.seal import (
    GENESIS,
    HASH_BYTES,
    MARK_BYTES,
    UNKNOWN,
    Hole,
    Seal,
    digest,
    first_difference,
    holes_between,
    marks,
    seal,
    tiles,
)

ONE, TWO, THREE = (digest(name) for name in (b"one", b"two", b"three"))
FULL = Hole(3, 5, "the disk was full")


def sealed(*digests: bytes, last_seq: int, holes: tuple[Hole, ...] = ()) -> Seal:
    """Return a first seal."""
    return seal(GENESIS, last_seq=last_seq, digests=digests, holes=holes)


def test_a_seal_goes_on_where_the_last_one_ended() -> None:
    """Number and range follow the seal before."""
    first = sealed(ONE, TWO, last_seq=2)
    second = seal(first, last_seq=3, digests=[THREE], holes=())
    assert (first.n, first.first_seq, first.last_seq) == (1, 1, 2)
    assert (second.n, second.first_seq, second.last_seq) == (2, 3, 3)
    assert len(second.hash) == HASH_BYTES


@pytest.mark.parametrize(
    "other",
    [
        sealed(TWO, ONE, last_seq=5, holes=(FULL,)),
        sealed(ONE, last_seq=5, holes=(FULL,)),
        sealed(ONE, TWO, last_seq=6, holes=(FULL,)),
        sealed(ONE, TWO, last_seq=5),
        sealed(ONE, TWO, last_seq=5, holes=(Hole(3, 5, "no reason"),)),
        sealed(ONE, TWO, last_seq=5, holes=(Hole(3, 4, FULL.why),)),
        seal(
            Seal(n=0, first_seq=0, last_seq=0, hash=b"x" * HASH_BYTES),
            last_seq=5,
            digests=[ONE, TWO],
            holes=[FULL],
        ),
    ],
)
def test_whatever_is_changed_changes_the_hash(other: Seal) -> None:
    """Order, number, range, holes, their reasons and the seal before are all hashed."""
    assert other.hash != sealed(ONE, TWO, last_seq=5, holes=(FULL,)).hash


@pytest.mark.parametrize(
    ("last_seq", "seqs", "known", "holes"),
    [
        (0, [1, 2, 3], [], []),
        (0, [], [FULL], []),
        (2, [6], [FULL], [FULL]),
        (0, [2, 4], [], [Hole(1, 1, UNKNOWN), Hole(3, 3, UNKNOWN)]),
        (0, [8], [FULL], [Hole(1, 2, UNKNOWN), FULL, Hole(6, 7, UNKNOWN)]),
        (3, [5], [FULL], [Hole(4, 4, FULL.why)]),
        (0, [9], [Hole(6, 8, "b"), Hole(1, 5, "a")], [Hole(1, 5, "a"), Hole(6, 8, "b")]),
        (9, [11], [FULL], [Hole(10, 10, UNKNOWN)]),
    ],
)
def test_each_missing_seq_is_declared(
    last_seq: int, seqs: list[int], known: list[Hole], holes: list[Hole]
) -> None:
    """With its reason where one is known."""
    assert list(holes_between(last_seq, seqs, known)) == holes


@given(
    st.sets(st.integers(1, 40), min_size=1),
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 10)), max_size=5),
)
def test_events_and_declared_holes_leave_nothing_out(
    seqs: set[int], reasons: list[tuple[int, int]]
) -> None:
    """Whatever came and whatever is known of the rest, a batch covers its range once."""
    known = [Hole(first, first + more, "known") for first, more in reasons]
    holes = list(holes_between(0, sorted(seqs), known))
    assert tiles(sealed(last_seq=max(seqs)), sorted(seqs), holes)


@pytest.mark.parametrize(
    ("seqs", "holes"),
    [
        ([1, 2], [FULL]),
        ([1, 2, 2, 6], [FULL]),
        ([1, 2, 5, 6], [FULL]),
        ([1, 2, 6], [Hole(3, 2, ""), FULL]),
        ([2, 6], [FULL]),
        ([1, 2, 6, 7], [FULL]),
    ],
)
def test_a_batch_with_something_missing_or_twice_is_told(
    seqs: list[int], holes: list[Hole]
) -> None:
    """From 1 to 6, only one way of covering is right."""
    made = sealed(last_seq=6)
    assert tiles(made, [1, 2, 6], [FULL])
    assert not tiles(made, seqs, holes)


@pytest.mark.parametrize(
    ("seen", "first"),
    [
        ([(1, ONE), (2, TWO), (6, THREE)], 1),
        ([(1, ONE), (2, THREE), (6, THREE)], 2),
        ([(1, ONE), (2, TWO), (6, TWO)], 6),
        ([(2, TWO), (6, THREE)], 1),
        ([(1, ONE), (6, THREE)], 2),
        ([(1, ONE), (2, TWO)], 6),
        ([(1, ONE), (2, TWO), (4, TWO), (6, THREE)], 4),
        ([(1, ONE), (2, TWO), (6, THREE), (7, THREE)], 7),
        ([], 1),
    ],
)
def test_the_first_event_that_differs_is_found(seen: list[tuple[int, bytes]], first: int) -> None:
    """Changed, gone or added; where all are as they were, the seal itself was changed."""
    made = sealed(ONE, TWO, THREE, last_seq=6, holes=(FULL,))
    kept = marks([ONE, TWO, THREE])
    assert len(kept) == 3 * MARK_BYTES
    assert first_difference(made, kept, seen, [FULL]) == first
