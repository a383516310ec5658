# SPDX-License-Identifier: Apache-2.0
"""A filter lets pass what meets every one of its sets, and refuses what it does not know."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.case_events import FOUND

from sensor.core.event import Destination, Enforcement, Event, Kind, ProcessView, Verdict
from sensor.core.filter import (
    EVERYTHING,
    LONGEST_VALUE,
    MOST_VALUES,
    NAMES,
    Filter,
    filter_of,
    traits_of,
)
from sensor.errors import BadInputError

EVENT = Event(
    v=1,
    seq=7,
    boot_id="b",
    host="build-7",
    at="2026-11-23T14:03:07.512345678Z",
    at_ns=5,
    kind=Kind.CONNECT,
    verdict=Verdict.ALERT,
    enforcement=Enforcement.CGROUP,
    rule="no-agents",
    tool="codex",
    vendor="openai",
    session="s1",
    process=ProcessView(pid=9, started_ns=9, uid=1000, user="alice"),
    destination=Destination(
        ip=ip_address("192.0.2.1"), port=443, transport="tcp", endpoint="openai"
    ),
)
LOSS = replace(
    EVENT,
    kind=Kind.LOSS,
    verdict=None,
    enforcement=None,
    rule=None,
    tool=None,
    vendor=None,
    session=None,
    process=None,
    destination=None,
)


def one(*values: str) -> frozenset[str]:
    """Return a set of values."""
    return frozenset(values)


@pytest.mark.parametrize(
    ("wanted", "event", "loss"),
    [
        (Filter(), True, True),
        (Filter(tools=one("codex", "aider")), True, False),
        (Filter(tools=one("aider")), False, False),
        (Filter(vendors=one("openai")), True, False),
        (Filter(vendors=one("codex")), False, False),
        (Filter(users=one("alice")), True, False),
        (Filter(users=one("1000")), True, False),
        (Filter(users=one("bob", "1001")), False, False),
        (Filter(users=one("None")), False, False),
        (Filter(kinds=one("connect")), True, False),
        (Filter(kinds=one("loss")), False, True),
        (Filter(verdicts=one("alert")), True, False),
        (Filter(verdicts=one("allow")), False, False),
        (Filter(sessions=one("s1")), True, False),
        (Filter(sessions=one("s2")), False, False),
        (Filter(endpoints=one("openai")), True, False),
        (Filter(endpoints=one("anthropic")), False, False),
        (Filter(rules=one("no-agents")), True, False),
        (Filter(rules=one("default")), False, False),
        (Filter(enforcements=one("cgroup")), True, False),
        (Filter(enforcements=one("lsm", "none")), False, False),
        (Filter(tools=one("codex"), users=one("alice")), True, False),
        (Filter(tools=one("codex"), users=one("bob")), False, False),
    ],
)
def test_an_event_passes_that_meets_every_set(wanted: Filter, *, event: bool, loss: bool) -> None:
    """Within a set any value will do; what an event does not have is in no set."""
    assert wanted.matches(EVENT) is event
    assert wanted.matches(LOSS) is loss


def test_an_unknown_uid_is_nobody() -> None:
    """A user called ``None`` is not who could not be found out."""
    unknown = replace(EVENT, process=ProcessView(pid=9, started_ns=9))
    assert not Filter(users=one("None")).matches(unknown)


def test_a_finding_is_its_users() -> None:
    """By name and number."""
    for name in ("alice", "1000"):
        assert Filter(users=frozenset({name})).matches(FOUND)


def test_traits_are_those_of_the_event() -> None:
    """What is kept of an event for filters is what it says."""
    assert traits_of(EVENT) == (
        "connect", "alert", "codex", "openai", "s1", "alice", 1000, "openai", "no-agents", "cgroup",
    )  # fmt: skip
    assert traits_of(LOSS) == ("loss", *[None] * 9)


VALUES = st.frozensets(st.text(max_size=8), max_size=4)
FILTERS = st.builds(
    Filter,
    tools=VALUES,
    vendors=VALUES,
    users=VALUES,
    sessions=VALUES,
    endpoints=VALUES,
    rules=VALUES,
    enforcements=st.frozensets(st.sampled_from([one.value for one in Enforcement])),
    kinds=st.frozensets(st.sampled_from([kind.value for kind in Kind])),
    verdicts=st.frozensets(st.sampled_from([verdict.value for verdict in Verdict])),
)


@given(FILTERS)
def test_what_is_written_is_read_back(wanted: Filter) -> None:
    """``filter_of`` undoes ``as_dict``, for lists and for tuples."""
    plain = wanted.as_dict()
    assert filter_of(plain) == wanted
    assert filter_of({name: tuple(values) for name, values in plain.items()}) == wanted


def test_the_empty_filter_is_an_empty_map() -> None:
    """Whoever wants everything says nothing."""
    assert EVERYTHING.as_dict() == {}
    assert filter_of({}) == EVERYTHING


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (None, "expected a map of names to lists, got NoneType"),
        ([], "expected a map of names to lists, got list"),
        ({"tool": []}, f"unknown name tool: expected {', '.join(NAMES)}"),
        ({1: []}, "unknown name 1"),
        ({"tools\x1b[2J": []}, r'unknown name "tools\\x1b[2J"'),
        ({"tools": "codex"}, f"tools: expected a list of at most {MOST_VALUES} values"),
        ({"tools": ["x"] * (MOST_VALUES + 1)}, f"at most {MOST_VALUES} values"),
        ({"tools": [1]}, f"expected text of at most {LONGEST_VALUE} characters, got int"),
        ({"tools": ["x" * (LONGEST_VALUE + 1)]}, f"got {LONGEST_VALUE + 1} characters"),
        ({"kinds": ["exce"]}, "kinds: unknown exce: expected close, connect, exec"),
        ({"verdicts": ["deny"]}, "verdicts: unknown deny: expected alert, allow, block"),
        ({"enforcements": ["bpf"]}, "enforcements: unknown bpf: expected cgroup, destroy, kill"),
    ],
)
def test_what_is_not_understood_is_refused(raw: object, says: str) -> None:
    """The text names the place and what is expected there."""
    with pytest.raises(BadInputError) as raised:
        filter_of(raw)
    assert says.replace("\\\\", "\\") in str(raised.value)
