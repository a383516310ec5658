# SPDX-License-Identifier: Apache-2.0
"""Each column finds its value in an event, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.case_events import FOUND
from support.recorded import recorded

from sensor.core.columns import FLAT, GROUPS
from sensor.core.event import Event, Kind, ProcessView

if TYPE_CHECKING:
    from sensor.core.table import Cell

TOLD = recorded()
BARE = Event(
    v=1, seq=1, boot_id="b", host="h", at="2026-11-23T14:03:07.5Z", at_ns=1, kind=Kind.LOSS
)
CLOSE = next(event for event in TOLD if event.kind is Kind.CLOSE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tool", "claude-code"),
        ("vendor", "anthropic"),
        ("user", "alice"),
        ("session", "awyyzsd3"),
        ("kind", "close"),
        ("verdict", None),
        ("rule", None),
        ("exe", "/opt/bin/claude"),
        ("container", None),
        ("endpoint", "anthropic"),
        ("name", "api.anthropic.com"),
        ("ip", "198.51.100.7"),
        ("port", 443),
        ("host", "build-7"),
        ("day", "2026-11-23"),
        ("hour", "2026-11-23T14:00Z"),
    ],
)
def test_a_group_is_by_what_the_event_has(name: str, value: Cell) -> None:
    """The names are those of the stream."""
    assert GROUPS[name](CLOSE) == value


def test_every_column_takes_every_event() -> None:
    """An event without a process, a destination or traffic has no value there."""
    for event in (*TOLD, BARE):
        for read in (*GROUPS.values(), *FLAT.values()):
            assert isinstance(read(event), str | int | None)


def test_a_user_without_a_name_is_a_number() -> None:
    """As text, so that it sorts among the names; without one there is none."""
    nameless = ProcessView(pid=1, started_ns=1, uid=4242)
    assert GROUPS["user"](replace(BARE, process=nameless)) == "4242"
    assert GROUPS["user"](replace(BARE, process=replace(nameless, uid=None))) is None


def test_the_user_of_a_finding_is_its_homes() -> None:
    """Nobody ran it just then."""
    assert (GROUPS["user"](FOUND), FLAT["uid"](FOUND)) == ("alice", 1000)
    assert (GROUPS["user"](BARE), FLAT["uid"](BARE)) == (None, None)


def test_an_address_that_is_not_known_is_none() -> None:
    """A resolver that was asked over something else than IP."""
    assert CLOSE.destination
    event = replace(CLOSE, destination=replace(CLOSE.destination, ip=None))
    assert GROUPS["ip"](event) is None


def test_a_flat_event_has_the_names_of_the_stream() -> None:
    """Traffic stands beside the event's own duration."""
    flat = {name: read(CLOSE) for name, read in FLAT.items()}
    assert flat["seq"] == CLOSE.seq
    assert flat["duration_ns"] == 1_000_000_000
    assert (flat["sent_bytes"], flat["received_bytes"], flat["outcome"]) == (12595, 4198, "closed")
    ended = next(event for event in TOLD if event.kind is Kind.EXIT)
    assert FLAT["duration_ns"](ended) == ended.duration_ns
    assert ALERTS == ["alert"] * 3


ALERTS = [
    GROUPS["verdict"](event) for event in TOLD if event.kind is Kind.EXEC and event.depth == 0
]
