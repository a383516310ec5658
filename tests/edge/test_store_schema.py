# SPDX-License-Identifier: Apache-2.0
"""A store of any older version becomes one of the latest, whole, or stays what it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.rows import behind, filled, row, rows

from sensor.core.seal import GENESIS, Hole, digest, marks, seal
from sensor.edge.store import Store
from sensor.edge.store_schema import APPLICATION_ID, STEPS, prepare, version_of
from sensor.edge.store_verify import Verified
from sensor.errors import BadInputError, UnsupportedError
from sensor.wire.block import blocks
from sensor.wire.row import Row

LATEST = len(STEPS)
LATER = (
    ("CREATE INDEX later_tool ON events (tool)",),
    ("CREATE TABLE later (seq INTEGER PRIMARY KEY)", "INSERT INTO later SELECT seq FROM events"),
)
"""Steps that there are not yet: how stores of today fare with them."""

TEXT = st.none() | st.text(st.characters(codec="utf-8"), max_size=20)
COLUMNS = 13
"""Of version 1; a body was sealed behind them."""

NUMBER = st.integers(0, (1 << 63) - 1)
ROWS = st.lists(
    st.builds(
        Row,
        seq=st.just(0),
        wall_ns=NUMBER,
        kind=TEXT.map(str),
        verdict=TEXT,
        tool=TEXT,
        vendor=TEXT,
        session=TEXT,
        uid=st.none() | NUMBER,
        user=TEXT,
        exe=TEXT,
        endpoint=TEXT,
        name=TEXT,
        ip=TEXT,
        rule=TEXT,
        enforcement=TEXT,
        body=st.binary(max_size=40),
    ),
    min_size=1,
    max_size=6,
)


def old_store(path: Path, version: int, found: list[Row], hole: Hole) -> None:
    """Write a store as the sensor did when ``STEPS`` ended at ``version``."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        prepare(connection, path, steps=STEPS[:version])
        if version:
            _fill(connection, found, hole)


def _fill(connection: sqlite3.Connection, found: list[Row], hole: Hole) -> None:
    """Write a batch in the tables of version 1, which every later version has to understand."""
    digests = [digest(msgpack.packb((*one[:COLUMNS], one.body))) for one in found]
    made = seal(GENESIS, last_seq=hole.last_seq, digests=digests, holes=[hole])
    for one in found:
        connection.execute(
            "INSERT INTO events (seq, wall_ns, kind, verdict, tool, vendor, session, uid, user,"
            " exe, endpoint, name, ip) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            one[:COLUMNS],
        )
    connection.executemany("INSERT INTO blocks (first_seq, bodies) VALUES (?, ?)", blocks(found))
    connection.execute(
        "INSERT INTO holes (first_seq, last_seq, why) VALUES (?, ?, ?)",
        (hole.first_seq, hole.last_seq, hole.why),
    )
    connection.execute(
        "INSERT INTO seals (n, first_seq, last_seq, hash, marks) VALUES (?, ?, ?, ?, ?)",
        (made.n, made.first_seq, made.last_seq, made.hash, marks(digests)),
    )
    connection.execute("INSERT INTO meta (name, value) VALUES ('lease', 500)")


@pytest.mark.parametrize("version", range(LATEST + 1))
@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_an_old_store_is_whole_after_its_migration(version: int, found: list[Row]) -> None:
    """Every event is there, the chain holds, and the stream goes on, whatever text was stored."""
    found = [one._replace(seq=seq, rule=None, enforcement=None) for seq, one in enumerate(found, 1)]
    hole = Hole(len(found) + 1, len(found) + 3, "known")
    with TemporaryDirectory() as folder:
        path = Path(folder, "events.db")
        old_store(path, version, found, hole)
        with Store(path) as store:
            verified = store.verify()
            assert isinstance(verified, Verified)
            bodies = store.read(1, 100)
            following = store.begin().next_seq
    kept = found if version else []
    assert verified.rows == len(kept)
    assert bodies == [(one.seq, one.body) for one in kept]
    assert following == (500 if version else 1)


@settings(max_examples=20, deadline=None)
@given(ROWS)
def test_a_store_of_today_takes_later_steps(found: list[Row]) -> None:
    """Steps that add tables and indexes leave what is sealed as it is."""
    found = [one._replace(seq=seq) for seq, one in enumerate(found, 1)]
    with TemporaryDirectory() as folder:
        path = Path(folder, "events.db")
        with Store(path) as store:
            store.append(found)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            prepare(connection, path, steps=STEPS + LATER)
            assert version_of(connection, path, latest=99) == LATEST + 2
            assert connection.execute("SELECT count(*) FROM later").fetchone() == (len(found),)
        behind(path, f"PRAGMA user_version = {LATEST}")
        with Store(path) as store:
            assert isinstance(store.verify(), Verified)
            assert store.read(1, 100) == [(one.seq, one.body) for one in found]


def test_a_step_that_fails_changes_nothing(tmp_path: Path) -> None:
    """All steps are one transaction: the store can be used as before."""
    path = tmp_path / "events.db"
    filled(path, (1, 3)).close()
    before = behind(path, "SELECT name, sql FROM sqlite_schema")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for broken in ("CREATE TABLE", "COMMIT; "):
            with pytest.raises(sqlite3.Error):
                prepare(connection, path, steps=(*STEPS, *LATER, (broken, "CREATE TABLE")))
    assert behind(path, "SELECT name, sql FROM sqlite_schema")[: len(before)] == before
    with Store(path) as store:
        assert store.append([row(4)]).n == 2


def test_a_new_store_says_whose_it_is(tmp_path: Path) -> None:
    """By its application id and version, and it can give room back."""
    path = tmp_path / "events.db"
    Store(path).close()
    assert behind(path, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert behind(path, "PRAGMA user_version") == [(LATEST,)]
    assert behind(path, "PRAGMA auto_vacuum") == [(2,)]


def test_a_reader_leaves_an_old_store_alone(tmp_path: Path) -> None:
    """It says what brings the store to its version."""
    path = tmp_path / "events.db"
    path.touch()
    with pytest.raises(BadInputError, match=r"tables of version 0.*start the sensor once"):
        Store(path, read_only=True)
    assert path.read_bytes() == b""


def test_a_file_system_without_shared_memory_is_refused() -> None:
    """There a writer would have to stop for each reader."""
    with (
        closing(sqlite3.connect(":memory:", isolation_level=None)) as connection,
        pytest.raises(UnsupportedError, match="put it on a local one"),
    ):
        prepare(connection, Path("events.db"))


def test_rows_are_in_the_order_of_the_columns(tmp_path: Path) -> None:
    """A row is written as it is: each part lands in the column of its name."""
    filled(tmp_path / "events.db", (1, 1)).close()
    columns = [
        name for _, name, *_ in behind(tmp_path / "events.db", "PRAGMA table_info('events')")
    ]
    assert [*columns, "body"] == list(Row._fields)
    assert behind(tmp_path / "events.db", "SELECT * FROM events") == [rows(1, 1)[0][:-1]]
