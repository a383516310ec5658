# SPDX-License-Identifier: Apache-2.0
"""A request is read as it was meant, or refused with the word that was not understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.core.filter import Filter
from sensor.errors import BadInputError
from sensor.wire.envelope import Reader, envelope
from sensor.wire.requests import (
    Control,
    Fetch,
    Point,
    Request,
    Scale,
    Status,
    Subscribe,
    request_of,
)

CONTROLS = frozenset({"stop", "reload"})
SOME = Filter(tools=frozenset({"codex"}))


def read(raw: dict[str, object]) -> Request:
    """Read a request that came over the wire."""
    [message] = Reader().feed(envelope(raw))
    return request_of(message, controls=CONTROLS)


NATURALS = st.integers(0, 2**63)
POINTS = st.none() | st.builds(Point, st.sampled_from(Scale), NATURALS)
FILTERS = st.sampled_from([Filter(), SOME])
REQUESTS = st.one_of(
    st.builds(
        Subscribe,
        filter=FILTERS,
        since=POINTS,
        until=POINTS,
        follow=st.booleans(),
        limit=st.none() | NATURALS,
        every=st.booleans(),
    ),
    st.builds(Fetch, first=NATURALS, last=NATURALS, filter=FILTERS),
    st.just(Status()),
    st.builds(Control, st.just("stop"), st.dictionaries(st.text("abc"), NATURALS, max_size=2)),
)


@given(REQUESTS)
def test_a_request_comes_out_as_it_went_in(request: Request) -> None:
    """``request_of`` undoes ``as_dict``."""
    assert read(request.as_dict()) == request


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ({"do": "subscribe"}, Subscribe()),
        ({"do": "subscribe", "since": "now", "until": None}, Subscribe()),
        (
            {"do": "subscribe", "since": {"at_ns": 5}, "filter": {"tools": ["codex"]}},
            Subscribe(since=Point(Scale.BOOT, 5), filter=SOME),
        ),
        ({"do": "query"}, Subscribe(since=Point(Scale.SEQ, 0), follow=False)),
        (
            {"do": "query", "since": {"wall_ns": 5}, "until": {"seq": 9}, "limit": 3},
            Subscribe(since=Point(Scale.WALL, 5), until=Point(Scale.SEQ, 9), follow=False, limit=3),
        ),
        ({"do": "fetch", "first": 1, "last": 2}, Fetch(first=1, last=2)),
        ({"do": "status"}, Status()),
        ({"do": "stop", "soon": True}, Control("stop", {"soon": True})),
    ],
)
def test_what_is_not_said_has_a_default(raw: dict[str, object], meant: Request) -> None:
    """A request may be short; a query is a subscription to the past, from its beginning."""
    assert read(raw) == meant


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({}, "request without do"),
        ({"do": 1}, "request: do: expected str, got int"),
        ({"do": "hack"}, "unknown hack: expected fetch, query, reload, status, stop, subscribe"),
        ({"do": "\x1b[2J"}, 'unknown "\\x1b[2J"'),
        ({"do": "status", "of": "x"}, "status: unknown name of: expected "),
        ({"do": "query", "follow": True}, "query: unknown name follow: expected filter, since"),
        ({"do": "subscribe", "flter": {}}, "subscribe: unknown name flter: expected filter"),
        ({"do": "subscribe", "filter": []}, "subscribe: filter: expected dict, got list"),
        ({"do": "subscribe", "filter": {"x": []}}, "filter: unknown name x"),
        ({"do": "subscribe", "limit": -1}, "limit: expected 0 or more, got -1"),
        ({"do": "subscribe", "limit": "9"}, "subscribe: limit: expected int, got str"),
        ({"do": "subscribe", "follow": 1}, "subscribe: follow: expected bool, got int"),
        ({"do": "subscribe", "since": "then"}, "subscribe: since: expected dict, got str"),
        ({"do": "subscribe", "since": {}}, "since: expected a map with one of seq, at_ns, wall_ns"),
        ({"do": "subscribe", "since": {"seq": 1, "at_ns": 1}}, "since: expected a map with one of"),
        ({"do": "subscribe", "until": {"seq": "1"}}, "until: seq: expected int, got str"),
        ({"do": "query", "limit": -1}, "limit: expected 0 or more"),
        ({"do": "fetch", "first": 1}, "fetch without last"),
        ({"do": "fetch", "first": -1, "last": 2}, "first: expected 0 or more, got -1"),
    ],
)
def test_what_is_not_understood_is_refused(raw: dict[str, object], says: str) -> None:
    """The text names the word, fit for a terminal, and what would have been right."""
    with pytest.raises(BadInputError) as raised:
        read(raw)
    assert says in str(raised.value)
