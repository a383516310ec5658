# SPDX-License-Identifier: Apache-2.0
"""A case sums events up, and its size is bounded."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from support.case_events import CONNECT, FOUND, refusals
from support.recorded import recorded

from sensor.core.event import Destination, Enforcement, Kind, Verdict
from sensor.core.report import case as module
from sensor.core.report.case import Case, span_of
from sensor.core.sessionbook import Book
from sensor.core.wall import instant

if TYPE_CHECKING:
    import pytest


def test_a_morning_is_summed_up() -> None:
    """Connections by endpoint, AI services first, and what is missing."""
    case = Case()
    for event in recorded():
        case.take(event)
    assert case.events == len(recorded())
    assert [(one.endpoint, one.name, one.connections) for one in case.by_endpoint()] == [
        ("anthropic", "api.anthropic.com", 1), ("anthropic", "198.51.100.8", 1),
        (None, "2001:db8::9", 1), (None, "192.0.2.53", 1),
    ]  # fmt: skip
    first = case.by_endpoint()[0]
    assert (first.tools, first.users, first.ports) == ({"claude-code"}, {"alice"}, {443})
    assert first.sent_bytes > 0
    assert [event.kind for event in case.lacks] == [Kind.LOSS, Kind.GAP]
    assert case.first_at == recorded()[0].at


def test_what_was_refused_is_no_connection() -> None:
    """As in the book of sessions; what would have been, and what could not be, is."""
    case, book = Case(), Book()
    for event in refusals():
        case.take(event)
        book.take(event)
    assert [(one.verdict, one.enforcement) for one in case.attempts] == [
        (Verdict.BLOCK, Enforcement.LSM),
        (Verdict.BLOCK, Enforcement.CGROUP),
        (Verdict.WOULD_BLOCK, Enforcement.NONE),
        (Verdict.BLOCK, Enforcement.TLS),
        (Verdict.BLOCK, Enforcement.NONE),
    ]
    assert case.refused == 3
    peers = {one.name: (one.connections, one.refused) for one in case.by_endpoint()}
    assert peers == {
        "192.0.2.9": (1, 0), "192.0.2.8": (0, 1), "192.0.2.7": (1, 0), "api.anthropic.com": (0, 1),
    }  # fmt: skip
    claude = next(iter(book.runs.values()))
    assert (claude.connections, claude.refused) == (2, 2)
    assert [event.kind for event in case.standing] == [Kind.POLICY, Kind.HEALTH]


def test_the_newest_finding_of_a_home_holds() -> None:
    """An audit that is repeated says the same once."""
    case = Case()
    newer = replace(FOUND, seq=9)
    for event in (FOUND, newer, replace(FOUND, tool="aider"), replace(FOUND, inventory=None)):
        case.take(event)
    assert [event.seq for event, _ in case.found.values()] == [9, 1]


def test_what_has_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left out in silence."""
    for name in ("MOST_PEERS", "MOST_LACKS", "MOST_FOUND", "MOST_ATTEMPTS", "MOST_STANDING"):
        monkeypatch.setattr(module, name, 1)
    monkeypatch.setattr(module, "BLOCKED", frozenset({"alert"}))
    case = Case()
    lack = next(event for event in recorded() if event.kind is Kind.LOSS)
    nowhere = Destination(ip=None, port=None, transport=None)
    for event in (
        *(replace(CONNECT, destination=replace(nowhere, name=name)) for name in "abc"),
        replace(CONNECT, kind=Kind.CLOSE, destination=nowhere),
        replace(CONNECT, destination=None),
        *(replace(CONNECT, kind=Kind.EXEC, verdict=Verdict.ALERT) for _ in range(3)),
        *(lack for _ in range(3)),
        FOUND, replace(FOUND, tool="aider"),
        *(replace(lack, kind=Kind.HEALTH) for _ in range(3)),
    ):  # fmt: skip
        case.take(event)
    assert case.left_out == {
        "connections": 2, "attempts": 2, "gaps and losses": 2, "findings": 1,
        "changes of policy and health": 2,
    }  # fmt: skip
    assert len(case.attempts) == len(case.lacks) == len(case.found) == len(case.peers) == 1


def test_a_peer_may_have_no_name_port_or_tool() -> None:
    """It is shown as what is known."""
    case = Case()
    to = Destination(ip=ip_address("192.0.2.1"), port=None, transport="udp")
    case.take(replace(CONNECT, destination=to, tool=None, verdict=None))
    case.take(replace(CONNECT, destination=Destination(ip=None, port=None, transport=None)))
    assert {(one.name, tuple(one.ports)) for one in case.by_endpoint()} == {
        ("192.0.2.1", ()), ("-", ()),
    }  # fmt: skip


def test_a_session_spans_to_its_end_or_to_now() -> None:
    """Or to when it was last heard of."""
    book = Book()
    for event in recorded():
        book.take(event)
    ended, *_, running = book.runs.values()
    assert span_of(ended, 0)[1] == instant(ended.ended_at or "")
    assert span_of(running, 0)[1] == instant(running.last_at)
    assert span_of(running, 2 * 10**18)[1] == 2 * 10**18
