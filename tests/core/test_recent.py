# SPDX-License-Identifier: Apache-2.0
"""Recent events are kept up to a limit, and given from any place on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.core.filter import EVERYTHING, Filter, Traits
from sensor.core.recent import ENTRY_BYTES, SCANNED, Recent, Taken

CODEX = Filter(tools=frozenset({"codex"}))
MANY = 1 << 30


def traits(tool: str) -> Traits:
    """Return the traits of an event of this tool."""
    return Traits("exec", None, tool, None, None, None, None, None, None, None)


def recent(*seqs: int, room: int = 100, last: int = 0) -> Recent:
    """Return what was given these events, of one letter and at ten times their seq."""
    kept = Recent(limit_bytes=room * (ENTRY_BYTES + 1), last=last)
    for seq in seqs:
        kept.add(seq, seq * 10, traits("codex" if seq % 3 == 0 else "aider"), letter(seq))
    return kept


def letter(seq: int) -> bytes:
    """Return the content of an event."""
    return bytes([ord("a") + seq % 26])


def take(
    kept: Recent,
    first: int,
    last: int,
    wanted: Filter = EVERYTHING,
    *,
    most: int = MANY,
    most_bytes: int = MANY,
) -> Taken:
    """Take with no limits but those given."""
    return kept.take(first, last, wanted, most=most, most_bytes=most_bytes)


def test_the_oldest_goes_when_there_is_no_room() -> None:
    """What is kept is a range: the newest."""
    kept = recent(*range(1, 8), room=3)
    assert (kept.first, kept.last) == (5, 7)
    assert kept.kept_bytes == 3 * (ENTRY_BYTES + 1)
    assert take(kept, 5, 7) == Taken(b"fgh", 3, 7)


def test_it_begins_empty_after_the_last_seq() -> None:
    """Nothing is missing from a range in which nothing came."""
    kept = recent(last=500)
    assert (kept.first, kept.middle, kept.last, kept.kept_bytes) == (501, 501, 500, 0)


def test_numbers_that_were_left_out_are_no_hole() -> None:
    """A restarted daemon goes on at a higher number; a reader who waits for the next gets it."""
    kept = recent(10_500, 10_501, last=500)
    assert kept.first == 501
    assert take(kept, 501, 10_501).upto == 10_501
    assert take(kept, 501, 10_501, most=1) == Taken(letter(10_500), 1, 10_500)


def test_an_event_that_is_larger_than_all_room_is_not_kept() -> None:
    """Then nothing is, and the next one is kept again."""
    kept = Recent(limit_bytes=400, last=0)
    kept.add(1, 10, traits("codex"), bytes(1000))
    assert (kept.first, kept.middle, kept.last, kept.kept_bytes) == (2, 2, 1, 0)
    kept.add(2, 20, traits("codex"), b"b")
    assert take(kept, 2, 2) == Taken(b"b", 1, 2)


@pytest.mark.parametrize(
    ("first", "last", "most", "most_bytes", "expected"),
    [
        (1, 9, MANY, MANY, Taken(b"bcdefghij", 9, 9)),
        (4, 9, MANY, MANY, Taken(b"efghij", 6, 9)),
        (4, 6, MANY, MANY, Taken(b"efg", 3, 6)),
        (9, 99, MANY, MANY, Taken(b"j", 1, 9)),
        (4, 9, 2, MANY, Taken(b"ef", 2, 5)),
        (4, 9, MANY, 2 * (ENTRY_BYTES + 1), Taken(b"ef", 2, 5)),
        (4, 9, MANY, 1, Taken(b"e", 1, 4)),
    ],
)
def test_a_reader_gets_what_comes_next(
    first: int, last: int, most: int, most_bytes: int, expected: Taken
) -> None:
    """Within its range and limits, and one event at the least."""
    kept = recent(*range(1, 10))
    assert take(kept, first, last, most=most, most_bytes=most_bytes) == expected


@pytest.mark.parametrize(
    ("first", "last", "most", "most_bytes", "expected"),
    [
        (1, 9, MANY, MANY, Taken(b"dgj", 3, 9)),
        (1, 5, MANY, MANY, Taken(b"d", 1, 5)),
        (1, 9, 1, MANY, Taken(b"d", 1, 3)),
        (1, 9, MANY, 2, Taken(b"dg", 2, 6)),
        (7, 8, MANY, MANY, Taken(b"", 0, 8)),
    ],
)
def test_a_filter_leaves_out(
    first: int, last: int, most: int, most_bytes: int, expected: Taken
) -> None:
    """What was looked at and left out is not looked at again."""
    kept = recent(*range(1, 10))
    assert take(kept, first, last, CODEX, most=most, most_bytes=most_bytes) == expected


def test_a_filter_looks_at_so_many_at_once() -> None:
    """A filter that nothing passes holds nobody up."""
    kept = recent(*range(1, SCANNED + 3), room=SCANNED + 10)
    nothing = Filter(tools=frozenset({"none"}))
    assert take(kept, 1, kept.last, nothing) == Taken(b"", 0, SCANNED)
    assert take(kept, SCANNED + 1, kept.last, nothing) == Taken(b"", 0, SCANNED + 2)


def test_a_time_is_found() -> None:
    """The first event at that time or later, of those that are kept."""
    kept = recent(*range(1, 10), room=5)
    assert [kept.first_since(at_ns) for at_ns in (0, 50, 61, 90, 91)] == [5, 5, 7, 9, None]


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 40)), max_size=60),
    st.integers(0, 4),
)
def test_it_keeps_the_newest_that_have_room(steps: list[tuple[int, int]], room: int) -> None:
    """Against a plain list: the same events, range and bytes, however long it goes on."""
    limit = room * (ENTRY_BYTES + 20)
    kept = Recent(limit_bytes=limit, last=0)
    model: list[tuple[int, bytes]] = []
    seq, first = 0, 1
    for step, size in steps:
        seq += step
        kept.add(seq, seq, traits("codex"), bytes(size))
        model.append((seq, bytes(size)))
        while sum(len(one) + ENTRY_BYTES for _, one in model) > limit:
            first = model.pop(0)[0] + 1
        assert (kept.first, kept.last) == (first, seq)
        assert kept.kept_bytes == sum(len(one) + ENTRY_BYTES for _, one in model) <= max(0, limit)
        assert kept.first <= kept.middle <= seq + 1
        if first <= seq:
            everything = b"".join(one for _, one in model)
            assert take(kept, first, seq) == Taken(everything, len(model), seq)


def test_its_lists_do_not_grow() -> None:
    """What is gone takes no room in the end, and what is kept stays where it can be found."""
    kept = recent(*range(1, 20_001), room=10)
    assert (kept.first, kept.last) == (19_991, 20_000)
    assert take(kept, 19_995, 19_996).content == letter(19_995) + letter(19_996)
