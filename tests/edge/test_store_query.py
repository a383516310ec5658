# SPDX-License-Identifier: Apache-2.0
"""The store finds what a filter means, uses its indexes, and takes no reader's word for SQL."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rows import PLAIN, behind, filled, rows

from sensor.core.filter import NAMES, Filter, Traits
from sensor.edge.store import Store
from sensor.edge.store_query import where

if TYPE_CHECKING:
    from pathlib import Path

    from sensor.wire.row import Row

WORDS = st.sampled_from(["exec", "gap", "allow", "alert", "codex", "1000", "' OR 1 --", "\udcff"])
MAYBE = st.none() | WORDS.map(lambda text: text.encode("utf-8", "backslashreplace").decode())
ROWS = st.lists(
    st.builds(
        PLAIN._replace,
        kind=MAYBE.map(lambda kind: kind or "exit"),
        verdict=MAYBE,
        tool=MAYBE,
        vendor=MAYBE,
        session=MAYBE,
        user=MAYBE,
        uid=st.none() | st.sampled_from([0, 1000]),
        endpoint=MAYBE,
        rule=MAYBE,
        enforcement=MAYBE,
    ),
    max_size=8,
)
SETS = st.frozensets(WORDS, max_size=2)
FILTERS = st.builds(
    Filter,
    tools=SETS,
    vendors=SETS,
    users=SETS,
    kinds=SETS,
    verdicts=SETS,
    sessions=SETS,
    endpoints=SETS,
    rules=SETS,
    enforcements=SETS,
)


def traits(row: Row) -> Traits:
    """Return what a filter looks at."""
    return Traits(
        *(row.kind, row.verdict, row.tool, row.vendor, row.session),
        *(row.user, row.uid, row.endpoint, row.rule, row.enforcement),
    )


@given(ROWS, FILTERS)
def test_the_store_finds_what_the_filter_means(found: list[Row], wanted: Filter) -> None:
    """A filter lets the same events pass in SQL and in Python, also with hostile values."""
    condition, values = where(wanted)
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE TABLE events (seq INTEGER, wall_ns, kind, verdict, tool, vendor, session,"
        " uid INTEGER, user, exe, endpoint, name, ip, rule, enforcement)"
    )
    connection.executemany(
        f"INSERT INTO events VALUES ({', '.join('?' * 15)})",  # noqa: S608  # our own words
        [(seq, *row[1:-1]) for seq, row in enumerate(found)],
    )
    passed = {
        seq
        for (seq,) in connection.execute(
            f"SELECT seq FROM events WHERE {condition}",  # noqa: S608  # what is tested
            values,
        )
    }
    connection.close()
    plain = Filter(
        **{
            name: frozenset(
                one.encode("utf-8", "backslashreplace").decode() for one in getattr(wanted, name)
            )
            for name in NAMES
        }
    )
    assert passed == {seq for seq, row in enumerate(found) if plain.accepts(traits(row))}


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Filter(sessions=frozenset({"aaaaaaaa"})), "events_session"),
        (Filter(endpoints=frozenset({"anthropic"})), "events_endpoint"),
        (Filter(verdicts=frozenset({"alert"})), "events_verdict"),
        (Filter(kinds=frozenset({"session_start", "gap"})), "events_kind"),
        (Filter(verdicts=frozenset({"alert", "allow"})), "INTEGER PRIMARY KEY"),
        (Filter(kinds=frozenset({"exec", "gap"})), "INTEGER PRIMARY KEY"),
        (Filter(tools=frozenset({"codex"})), "INTEGER PRIMARY KEY"),
        (Filter(), "INTEGER PRIMARY KEY"),
    ],
)
def test_what_is_rare_is_found_by_an_index(tmp_path: Path, wanted: Filter, index: str) -> None:
    """And what is common by its seq: an index on it would be as large as the events."""
    path = tmp_path / "events.db"
    filled(path, (1, 100)).close()
    condition, values = where(wanted)
    plan = behind(
        path,
        # What is tested: the words of the condition.
        f"EXPLAIN QUERY PLAN SELECT seq FROM events WHERE {condition} AND"  # noqa: S608
        " seq BETWEEN 1 AND 9 ORDER BY seq LIMIT 9",
        values=values,
    )
    assert index in str(plan)


def test_a_filter_and_a_range_are_both_kept(tmp_path: Path) -> None:
    """Of the events in the range, those that pass, oldest first, and no more than asked for."""
    with Store(tmp_path / "events.db") as store:
        store.append([row._replace(tool=("codex", "aider")[row.seq % 2]) for row in rows(1, 20)])
        found = store.read(4, 15, Filter(tools=frozenset({"codex"})), limit=5)
    assert [seq for seq, _ in found] == [4, 6, 8, 10, 12]
