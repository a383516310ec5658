# SPDX-License-Identifier: Apache-2.0
"""Many traces make one finding: its state, its certainty, its times, and a bounded list."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.core.audit.findings import MOST_TRACES, MOST_VERSIONS, Finding, Ledger, told, who
from sensor.core.audit.trace import STRANGER, Home, Trace
from sensor.core.audit.words import Certainty, Shows, Source, State

HOME = Home("/home/alice", "alice", 1000)
TRACE = Trace(
    tool="codex", source=Source.STATE, shows=Shows.USED, certainty=Certainty.LIKELY, path="/x",
    first_ns=5_000_000_000, last_ns=9_000_000_000,
)  # fmt: skip
SURE, LIKELY, WEAK = Certainty


def finding(*traces: Trace) -> Finding:
    """Gather traces."""
    one = Finding(HOME, "codex", "openai")
    for trace in traces:
        one.take(trace)
    return one


@pytest.mark.parametrize(
    ("shown", "state", "certainty"),
    [
        ([(Shows.INSTALLED, SURE), (Shows.REMOVED, SURE)], State.INSTALLED, SURE),
        ([(Shows.INSTALLED, WEAK)], State.HINTED, WEAK),
        ([(Shows.INSTALLED, LIKELY), (Shows.HINT, WEAK)], State.INSTALLED, LIKELY),
        ([(Shows.REMOVED, LIKELY), (Shows.WAS_INSTALLED, SURE)], State.REMOVED, SURE),
        ([(Shows.DOWNLOADED, SURE)], State.REMOVED, LIKELY),
        ([(Shows.DOWNLOADED, LIKELY), (Shows.RUN_ONCE, SURE)], State.USED, SURE),
        ([(Shows.DOWNLOADED, LIKELY), (Shows.USED, SURE)], State.REMOVED, LIKELY),
        ([(Shows.USED, LIKELY), (Shows.HINT, WEAK)], State.USED, LIKELY),
        ([(Shows.USED, WEAK), (Shows.WAS_INSTALLED, WEAK)], State.HINTED, WEAK),
        ([(Shows.DOWNLOADED, WEAK)], State.HINTED, WEAK),
        ([(Shows.HINT, WEAK)], State.HINTED, WEAK),
    ],
)  # fmt: skip
def test_the_state_is_that_of_the_best_trace(
    shown: list[tuple[Shows, Certainty]], state: State, certainty: Certainty
) -> None:
    """And a weak one makes no state."""
    one = finding(*(replace(TRACE, shows=shows, certainty=sure) for shows, sure in shown))
    assert (one.state, one.certainty) == (state, certainty)


def test_times_are_the_first_and_the_last() -> None:
    """Use counts for last used alone."""
    old = replace(TRACE, shows=Shows.WAS_INSTALLED, first_ns=1_000_000_000, last_ns=None)
    new = replace(old, first_ns=99_000_000_000)
    plain = finding(old, TRACE, new).as_dict()
    assert plain["first_seen"] == "1970-01-01T00:00:01Z"
    assert plain["last_used"] == "1970-01-01T00:00:09Z"
    assert finding(replace(TRACE, first_ns=None, last_ns=None)).as_dict()["first_seen"] is None


def test_lists_are_bounded() -> None:
    """What is left out is counted; of each source some stay."""
    many = [replace(TRACE, path=str(at), version=f"1.{at}") for at in range(99)]
    one = finding(*many, replace(TRACE, source=Source.NPM))
    assert len(one.traces) == MOST_TRACES + 1
    assert one.left_out == 99 - MOST_TRACES
    assert len(one.versions) == MOST_VERSIONS


def test_shared_state_is_the_other_tools_where_only_that_is_there() -> None:
    """Its own trace makes it its own."""
    shared = replace(TRACE, shared=("codex-sdk",))
    sdk = replace(TRACE, tool="codex-sdk", shows=Shows.INSTALLED)
    ledger = Ledger({})
    ledger.take(HOME, shared)
    assert [one.state for one in ledger.findings()] == [State.USED]
    ledger.take(HOME, sdk)
    assert {one.tool: one.state for one in ledger.findings()} == {
        "codex-sdk": State.INSTALLED, "codex": State.HINTED,
    }  # fmt: skip
    ledger.take(HOME, replace(TRACE, source=Source.HISTORY))
    assert {one.tool: one.state for one in ledger.findings()}["codex"] is State.USED


def test_what_was_typed_may_have_run_a_namesake() -> None:
    """Where there is one. By itself it is no finding, and other use is not touched by it."""
    stranger = replace(TRACE, source=Source.LINK, shows=Shows.HINT, certainty=WEAK, note=STRANGER)
    typed = replace(TRACE, source=Source.HISTORY)
    ledger = Ledger({})
    ledger.take(HOME, stranger)
    assert list(ledger.findings()) == []
    ledger.take(HOME, typed)
    assert [one.state for one in ledger.findings()] == [State.HINTED]
    ledger.take(HOME, TRACE)
    assert [one.state for one in ledger.findings()] == [State.USED]


def test_a_ledger_is_in_order_and_can_be_cut() -> None:
    """The system first, then homes; the surest first; what is older than asked for is left out."""
    ledger = Ledger({"codex": "openai"})
    other = Home("/home/bob", None, 1001, "docker:0123")
    for home, trace in (
        (HOME, TRACE),
        (other, replace(TRACE, last_ns=None)),
        (Home(None, None, None), replace(TRACE, first_ns=None, last_ns=None)),
        (HOME, replace(TRACE, tool="aider", shows=Shows.INSTALLED)),
    ):
        ledger.take(home, trace)
    rows = [(one.home.path, one.tool) for one in ledger.findings()]
    assert rows == [
        (None, "codex"), ("/home/alice", "aider"), ("/home/alice", "codex"), ("/home/bob", "codex"),
    ]  # fmt: skip
    assert [one.home for one in ledger.findings(since_ns=6_000_000_000)] == [HOME, HOME]


@pytest.mark.parametrize(
    ("home", "name"),
    [
        (HOME, "alice"),
        (Home(None, None, None), "(system)"),
        (Home("/x", None, 7), "(uid 7)"),
        (Home("/x", None, None), "(nobody)"),
        (Home("/x", "a\x1bb", 7), r'"a\x1bb"'),
    ],
)
def test_a_home_is_somebodys(home: Home, name: str) -> None:
    """Or nobody's any more."""
    assert who(home) == name


def test_a_trace_is_a_line() -> None:
    """With its time, its notes and who else leaves it."""
    assert told(replace(TRACE, count=2, shared=("a",), version="1.2")) == (
        "1970-01-01T00:00:09Z  used            state        /x  (1.2, 2 times, shared with a)"
    )
    assert told(replace(TRACE, note="3 files", count=3)).endswith("/x  (3 files)")
    assert told(replace(TRACE, first_ns=None, last_ns=None)) == (
        f"{'-':20}  used            state        /x"
    )


def test_a_row_is_fit_for_a_terminal() -> None:
    """Whatever a folder is called."""
    one = Finding(Home("/home/\x1b[2J", "alice", 1, "img"), "codex", None)
    one.take(replace(TRACE, version="1.2"))
    assert one.texts() == [
        "alice", r'"img:/home/\x1b[2J"', "codex", "used", "likely", "1970-01-01",
        "1970-01-01T00:00", "1.2", "1: state",
    ]  # fmt: skip


TRACES = st.builds(
    Trace,
    tool=st.just("codex"),
    source=st.sampled_from(Source),
    shows=st.sampled_from(Shows),
    certainty=st.sampled_from(Certainty),
    path=st.text(),
    first_ns=st.none() | st.integers(0, 2**63),
    last_ns=st.none() | st.integers(0, 2**63),
)


@settings(deadline=None)  # a busy machine fails no test
@given(st.lists(TRACES, min_size=1, max_size=30))
def test_any_traces_make_a_finding(traces: list[Trace]) -> None:
    """Weak ones alone a hint, in any order."""
    one, other = finding(*traces), finding(*reversed(traces))
    assert (one.state, one.certainty) == (other.state, other.certainty)
    if all(trace.certainty is Certainty.WEAK for trace in traces):
        assert one.certainty is Certainty.WEAK
    assert len(one.texts()) == 9
