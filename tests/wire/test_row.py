# SPDX-License-Identifier: Apache-2.0
"""A row has an event's columns, and any text in them can be stored."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.case_events import FOUND

from sensor.core.event import Destination, Enforcement, Event, Kind, ProcessView, Verdict
from sensor.core.wall import rfc3339
from sensor.wire.row import Row, record, row_of, wall_ns

BARE = Event(
    v=1, seq=7, boot_id="b", host="h", at="2026-11-23T14:03:07.512345678Z", at_ns=5, kind=Kind.LOSS
)
FULL = replace(
    BARE,
    kind=Kind.CONNECT,
    verdict=Verdict.ALERT,
    enforcement=Enforcement.NONE,
    rule="default",
    tool="codex",
    vendor="openai",
    session="s",
    process=ProcessView(pid=1, started_ns=2, uid=1000, user="alice", exe="/usr/bin/codex"),
    destination=Destination(
        ip=ip_address("2001:db8::1"), port=443, transport="tcp", name="a.example", endpoint="openai"
    ),
)
AT = 1_795_442_587_512_345_678


@pytest.mark.parametrize(
    ("event", "row"),
    [
        (BARE, (7, AT, "loss", *[None] * 12, b"body")),
        (
            FULL,
            (
                *(7, AT, "connect", "alert", "codex", "openai", "s", 1000, "alice"),
                *("/usr/bin/codex", "openai", "a.example", "2001:db8::1"),
                *("default", "none", b"body"),
            ),
        ),
        (
            replace(BARE, destination=Destination(ip=None, port=None, transport=None)),
            (7, AT, "loss", *[None] * 12, b"body"),
        ),
    ],
)
def test_a_row_has_what_can_be_asked_for(event: Event, row: tuple[object, ...]) -> None:
    """What an event does not have is None."""
    assert row_of(event, b"body") == row


@pytest.mark.parametrize("at", [0, 1, AT, 1_795_442_587_000_000_000])
def test_times_are_read_as_they_were_written(at: int) -> None:
    """To the nanosecond."""
    assert wall_ns(rfc3339(at)) == at


def test_a_time_beyond_the_column_is_held_at_its_end() -> None:
    """A wrong clock is no reason to lose an event."""
    assert wall_ns(rfc3339(1 << 80)) == (1 << 63) - 1


@given(st.text() | st.text(st.sampled_from("a\0\x1b\udcff\ud800\xe9\U0001f600")))
def test_any_name_becomes_text_that_can_be_stored(name: str) -> None:
    """A file name that is no UTF-8 has lone surrogates; they become escapes."""
    assert FULL.process
    row = row_of(replace(FULL, process=replace(FULL.process, exe=name)), b"")
    assert row.exe is not None
    assert row.exe.encode() == name.encode("utf-8", "backslashreplace")


def test_each_column_is_in_the_record() -> None:
    """A change in any of them is a change of what is sealed."""
    row = row_of(FULL, b"body")
    records = {record(row)} | {record((*row[:at], b"?", *row[at + 1 :])) for at in range(len(row))}
    assert len(records) == len(Row._fields) + 1


def test_a_row_from_before_rules_were_kept_has_the_record_of_then() -> None:
    """Its seal holds; whoever takes a rule away from a later row makes another record of it."""
    row = row_of(BARE, b"body")
    assert record(row) == msgpack.packb((*row[:13], b"body"))
    later = row_of(FULL, b"body")
    assert record(later) == msgpack.packb(later)
    assert record(later) != record(later._replace(rule=None, enforcement=None))
    assert record(later._replace(rule=None)) == msgpack.packb(later._replace(rule=None))


def test_a_record_is_made_of_anything() -> None:
    """Somebody may have put other types or broken text into a row."""
    assert record((1.5, "\udcff", None, b"", 1 << 62)) != record((1.5, "\udcfe", None, b"", 1))


def test_a_finding_is_its_users() -> None:
    """So that it can be asked for."""
    row = row_of(FOUND, b"body")
    assert (row.kind, row.tool, row.uid, row.user, row.exe) == (
        "inventory", "codex", 1000, "alice", None,
    )  # fmt: skip
