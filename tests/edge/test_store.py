# SPDX-License-Identifier: Apache-2.0
"""The store keeps what it is given, in order, through ends of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.rows import PLAIN, SECOND, WALL_NS, behind, filled, locked, row, rows

from sensor.core.filter import Filter
from sensor.core.seal import Hole
from sensor.edge.store import LEASE, Begun, Store
from sensor.edge.store_verify import Verified
from sensor.errors import BadInputError, DamagedStoreError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

ENDED = "the sensor ended before it was stored"
HOSTILE = st.none() | st.text() | st.text(st.sampled_from("a\0\x1b'\"%_;\n\u202e\ufffe\U0001f600"))


def test_what_was_stored_is_read(tmp_path: Path) -> None:
    """By another process too, while the first has it open."""
    path = tmp_path / "events.db"
    with filled(path, (1, 150), (151, 200)) as store, Store(path, read_only=True) as reader:
        assert reader.last_seq == 200
        assert reader.read(1, 10**6, limit=500) == [(one.seq, one.body) for one in rows(1, 200)]
        assert reader.read(63, 66) == [(one.seq, one.body) for one in rows(63, 66)]
        assert reader.read(190, 10**6, limit=2) == [(one.seq, one.body) for one in rows(190, 191)]
        assert reader.read(201, 10**6) == []
        store.append([row(201)])
        assert reader.last_seq == 201
        assert (store.first_seq, store.last_seq) == (1, 201)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[HOSTILE] * 8, st.binary(max_size=200)), min_size=1, max_size=4))
def test_any_text_in_any_column_stays_what_it_is(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str | None, ...]]
) -> None:
    """It is stored, found by a filter and verified; none of it is ever SQL."""
    path = tmp_path_factory.mktemp("hostile") / "events.db"
    made = [
        PLAIN._replace(
            **dict(zip(("seq", "verdict", "tool", "vendor", "session"), (seq, *one), strict=False)),  # type: ignore[arg-type]  # names of one type each
            **dict(zip(("user", "exe", "endpoint", "name"), one[4:], strict=False)),  # type: ignore[arg-type]
            body=one[8],  # type: ignore[arg-type]
        )
        for seq, one in enumerate(found, 1)
    ]
    with Store(path) as store:
        store.append(made)
        assert isinstance(store.verify(), Verified)
        for one in made:
            if one.session is not None:
                wanted = Filter(sessions=frozenset({one.session}))
                assert (one.seq, one.body) in store.read(1, 99, wanted)
    columns = ", ".join(PLAIN._fields[:-1])
    stored = behind(path, f"SELECT {columns} FROM events ORDER BY seq")  # noqa: S608  # our own words
    assert stored == [one[:-1] for one in made]


@pytest.mark.parametrize(
    ("after_s", "seq"), [(-99, 1), (1, 1), (1.5, 2), (100, 100), (100.5, 101), (250, None)]
)
def test_a_time_is_found(tmp_path: Path, after_s: float, seq: int | None) -> None:
    """The first event then or later."""
    with filled(tmp_path / "events.db", (1, 100), (101, 200)) as store:
        assert store.first_at(WALL_NS + int(after_s * SECOND)) == seq


def test_a_clock_that_was_set_back_hides_nothing(tmp_path: Path) -> None:
    """The first event of that time or later is found in the order of the stream."""
    with Store(tmp_path / "events.db") as store:
        store.append([row(50)._replace(seq=1), row(10)._replace(seq=2)])
        store.append([row(20)._replace(seq=3)])
        assert store.first_at(row(15).wall_ns) == 1
        assert store.first_at(row(60).wall_ns) is None


def test_the_newest_event_is_known_behind_a_hole(tmp_path: Path) -> None:
    """What was declared missing after it is no event."""
    with Store(tmp_path / "events.db") as store:
        assert store.last_event() is None
        store.append([row(1), row(2)], [Hole(3, 9, "lost")])
        assert store.last_event() == (2, row(2).body)


def test_what_began_and_has_not_ended_since_is_running(tmp_path: Path) -> None:
    """One that came back after its end is; one that had begun before is for others to ask for."""
    story = [
        ("a", "session_start"), ("b", "session_start"), ("b", "exec"), ("b", "session_end"),
        ("c", "session_start"), ("d", "session_start"), ("d", "session_end"),
        ("d", "session_start"), (None, "policy"), ("d", "exec"),
    ]  # fmt: skip
    told = [
        row(seq)._replace(session=session, kind=kind)
        for seq, (session, kind) in enumerate(story, start=1)
    ]
    with Store(tmp_path / "events.db") as store:
        store.append(told)
        assert store.running(2) == [(5, row(5).body), (8, row(8).body)]
        assert store.running(9) == []


def test_an_empty_store_has_nothing(tmp_path: Path) -> None:
    """No event, no time, and the next is the first."""
    with Store(tmp_path / "events.db") as store:
        assert (store.first_seq, store.last_seq) == (1, 0)
        assert store.read(0, 99) == []
        assert store.first_at(0) is None
        assert store.begin() == Begun(1, None, 1 + LEASE)


@pytest.mark.parametrize(
    ("seqs", "holes"),
    [
        ([1, 2], []),
        ([5, 6], []),
        ([4, 6], []),
        ([5, 4], []),
        ([4, 4], []),
        ([4, 5], [Hole(5, 6, "x")]),
        ([7], [Hole(4, 5, "x")]),
        ([], [Hole(3, 5, "x")]),
    ],
)
def test_a_batch_that_skips_or_repeats_is_refused(
    tmp_path: Path, seqs: list[int], holes: list[Hole]
) -> None:
    """Nothing of it is stored: a hole has to be declared."""
    with filled(tmp_path / "events.db", (1, 3)) as store:
        with pytest.raises(BadInputError, match="missing or twice"):
            store.append([row(seq) for seq in seqs], holes)
        assert store.last_seq == 3
        assert store.append([row(4), row(7)], [Hole(5, 6, "x")]).n == 2


def test_a_file_that_was_taken_away_is_not_written(tmp_path: Path) -> None:
    """SQLite would write on, into a file that nobody finds again; put back, it goes on."""
    path = tmp_path / "events.db"
    with filled(path, (1, 3)) as store:
        path.rename(tmp_path / "away")
        with pytest.raises(StoreError, match="was removed or replaced"):
            store.append([row(4)])
        path.touch()
        with pytest.raises(StoreError, match="was removed or replaced"):
            store.append([row(4)])
        (tmp_path / "away").rename(path)
        assert store.append([row(4)]).n == 2


def test_two_writers_do_not_mix(tmp_path: Path) -> None:
    """The second finds that the chain went on without it, and stores nothing over it."""
    path = tmp_path / "events.db"
    with filled(path, (1, 3)) as one, Store(path) as other:
        one.append([row(4)])
        with pytest.raises(StoreError, match="UNIQUE"):
            other.append([row(4)])
        assert other.last_seq == 4
        other.append([row(5)])
        assert isinstance(one.verify(), Verified)


def test_a_body_that_is_gone_is_told(tmp_path: Path) -> None:
    """Reading does not skip it in silence."""
    path = tmp_path / "events.db"
    filled(path, (1, 100)).close()
    behind(path, "DELETE FROM blocks WHERE first_seq = 65")
    with Store(path, read_only=True) as store:
        assert len(store.read(1, 64)) == 64
        with pytest.raises(DamagedStoreError, match="event 65 has lost its body"):
            store.read(1, 100)
        assert len(store.read(1, 64)) == 64
    behind(path, "DELETE FROM blocks")
    with Store(path, read_only=True) as store, pytest.raises(DamagedStoreError, match="event 1 "):
        store.read(1, 100)


def test_a_clean_end_leaves_no_hole(tmp_path: Path) -> None:
    """The next run goes on with the next seq."""
    path = tmp_path / "events.db"
    with Store(path) as store:
        assert store.begin() == Begun(1, None, 1 + LEASE)
        store.append(rows(1, 5))
        store.finish(6)
    with Store(path) as store:
        assert store.begin() == Begun(6, None, 6 + LEASE)


def test_a_run_that_was_killed_leaves_a_hole_that_the_next_one_knows(tmp_path: Path) -> None:
    """All that it may have told is behind the next seq."""
    path = tmp_path / "events.db"
    with Store(path) as store:
        store.begin()
        store.append(rows(1, 5))
    with Store(path) as store:
        begun = store.begin()
        assert begun.next_seq == LEASE + 1
        assert begun.lost == Hole(6, LEASE, "the sensor ended before it was stored")
        assert store.reserve(3 * LEASE) == 3 * LEASE + 1
        store.append([row(begun.next_seq)], [begun.lost])
        assert isinstance(store.verify(), Verified)
    with Store(path) as store:
        assert store.begin().next_seq == 3 * LEASE + 1


@pytest.mark.parametrize(
    ("told_seq", "next_seq", "lost"),
    [
        (5, 6, None),
        (9, 10, Hole(6, 9, ENDED)),
        (3, 6, None),
        (5 * LEASE, 5 * LEASE + 1, Hole(6, 5 * LEASE, ENDED)),
    ],
)
def test_what_a_killed_run_told_is_known_exactly_where_it_noted_it(
    tmp_path: Path, told_seq: int, next_seq: int, lost: Hole | None
) -> None:
    """Then the hole is no larger than what is missing."""
    path = tmp_path / "events.db"
    with Store(path) as store:
        store.begin()
        store.append(rows(1, 5))
    with Store(path) as store:
        assert store.begin(told_seq) == Begun(next_seq, lost, next_seq + LEASE)


def test_a_run_begins_although_nothing_can_be_written(tmp_path: Path) -> None:
    """It knows where to go on; what it has not reserved, the writer will."""
    path = tmp_path / "events.db"
    with Store(path) as store:
        store.begin()
        store.append(rows(1, 5))
        with locked(path):
            assert store.begin(9) == Begun(10, Hole(6, 9, ENDED), 10)
        assert store.begin(9) == Begun(10, Hole(6, 9, ENDED), 10 + LEASE)


def test_a_store_tells_how_large_it_is(tmp_path: Path) -> None:
    """Its file, its log, and what of the file is in use."""
    path = tmp_path / "events.db"
    with filled(path, (1, 1000)) as store:
        sizes = store.sizes()
        assert sizes.log_bytes > 0
        assert sizes.used_bytes > 50_000
    with Store(path, read_only=True) as store:
        after = store.sizes()
    assert after.log_bytes == 0
    assert after.file_bytes == after.used_bytes == sizes.used_bytes


def test_a_store_whose_file_was_taken_away_still_tells_a_size(tmp_path: Path) -> None:
    """Whoever asks how things are gets an answer, above all then."""
    path = tmp_path / "events.db"
    with filled(path, (1, 10)) as store:
        for file in tmp_path.iterdir():
            file.unlink()
        sizes = store.sizes()
    assert (sizes.file_bytes, sizes.log_bytes) == (0, 0)
    assert sizes.used_bytes > 0
