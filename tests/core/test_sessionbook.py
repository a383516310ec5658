# SPDX-License-Identifier: Apache-2.0
"""A session is summed up from its events, also where some of them are not stored."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.recorded import recorded
from support.story import SECOND, StoryHost

from sensor.core.event import Enforcement, Event, Kind, Verdict
from sensor.core.sessionbook import HEADS, Book, Now, Run, State, user_of
from sensor.core.wall import instant
from sensor.core.when import Moment, Seq, When

if TYPE_CHECKING:
    from collections.abc import Iterable

TOLD = recorded()
HERE = Now(StoryHost.boot_id, 100 * SECOND)
NOBODY = Now(None, 100 * SECOND)


def booked(told: Iterable[Event] = TOLD) -> dict[str, Run]:
    """Sum up events."""
    book = Book()
    for event in told:
        book.take(event)
    return book.runs


def test_a_session_that_has_ended_has_its_own_sums() -> None:
    """Processes and hosts as it said at its end; bytes of its own connections."""
    run = booked()["awyyzsd3"]
    assert run.state(HERE) is run.state(NOBODY) is State.ENDED
    assert run.texts(HERE) == [
        "awyyzsd3", "claude-code", "alice", "2026-11-23T14:00:10Z", "ended", "37.9 s", "15", "1",
        "12.3 KiB", "4.1 KiB", '/opt/bin/claude -p "fix it"',
    ]  # fmt: skip
    assert len(run.texts(HERE)) == len(HEADS)
    assert list(run.head(HERE)) == [
        "session   awyyzsd3  claude-code (anthropic)  ended 37.9 s",
        "time      2026-11-23T14:00:10Z to 2026-11-23T14:00:48Z, from event 1",
        "user      alice, in /home/alice/src",
        "known by  name claude (confidence 0.9)",
        "sums      15 processes, 1 connection to 1 host, sent 12.3 KiB, received 4.1 KiB",
    ]


def test_a_session_of_prove_is_marked() -> None:
    """Nobody used the tool."""
    run = booked()["awyyzsd3"]
    assert run.process
    assert run.as_dict(HERE)["proof"] is False
    run.process = replace(run.process, uid=0, cgroup="/agent-sensor-prove-7")
    assert run.texts(HERE)[4] == "ended (prove)"
    assert next(run.head(HERE)).endswith("ended (prove) 37.9 s")
    assert (run.as_dict(HERE)["state"], run.as_dict(HERE)["proof"]) == ("ended", True)


def test_a_session_within_another_says_so() -> None:
    """And is a session of its own."""
    assert "within    awyyzsd3" in list(booked()["n6tnxsub"].head(HERE))


def test_a_session_runs_as_long_as_its_end_is_not_told_and_somebody_watches() -> None:
    """Otherwise nobody knows whether it does."""
    run = booked()["j353jvw7"]
    assert run.state(HERE) is State.RUNNING
    assert run.lasted_ns(HERE) == 40 * SECOND - 1000
    assert run.texts(HERE)[4:6] == ["running", "39.9 s"]
    assert run.state(NOBODY) is State.UNSEEN
    assert run.texts(NOBODY)[4:6] == ["end not seen", "-"]
    assert (run.processes, run.hosts) == (1, 1)
    assert next(run.head(NOBODY)).endswith("aider (aider-ai)  end not seen")


def test_a_session_without_its_start_is_what_its_events_tell() -> None:
    """Retention took the rest: it began before the first event that is there."""
    cut = [event for event in TOLD if event.seq > 20 and event.session == "awyyzsd3"]
    run = booked(cut)["awyyzsd3"]
    assert run.started_at is None
    assert run.texts(HERE)[3] == f"before {cut[0].at[:19]}Z"
    assert run.process
    assert (run.process.pid, run.verdict) == (10, None)


def test_a_session_of_which_only_a_child_is_known_has_no_user() -> None:
    """Nothing is guessed."""
    child = next(event for event in TOLD if event.kind is Kind.EXEC and event.depth == 1)
    run = booked([child])["awyyzsd3"]
    assert run.texts(HERE)[2] == run.texts(HERE)[-1] == "-"
    assert [line.split()[0] for line in run.head(HERE)] == ["session", "time", "sums"]
    assert run.as_dict(HERE)["user"] is None


def test_a_tool_that_was_found_running_began_before_that() -> None:
    """When its process did."""
    start = TOLD[0]
    assert start.process
    late = replace(start, late=True, at_ns=90 * SECOND, at="2026-11-23T14:01:30.000000000Z")
    run = booked([late])["awyyzsd3"]
    assert run.started_at == "2026-11-23T14:00:10.000000000Z"
    assert run.lasted_ns(HERE) == 90 * SECOND
    unknown = booked([replace(late, process=None)])["awyyzsd3"]
    assert unknown.started_at == late.at


def test_a_connection_to_an_address_counts_as_a_host() -> None:
    """By its name where it has one."""
    assert booked()["n6tnxsub"].peers == {"2001:db8::9", "192.0.2.53"}


def test_a_session_with_too_many_hosts_to_count_says_nothing_of_them() -> None:
    """Its end has no sum then."""
    end = next(event for event in TOLD if event.kind is Kind.SESSION_END)
    run = booked([replace(end, hosts=None, processes=None)])[end.session or ""]
    assert list(run.head(HERE))[-1] == "sums      0 connections, sent 0 bytes, received 0 bytes"


@pytest.mark.parametrize("kind", [Kind.EXEC, Kind.CONNECT, Kind.CLOSE])
def test_a_damaged_event_changes_nothing(kind: Kind) -> None:
    """It lacks what its kind has."""
    event = next(event for event in TOLD if event.kind is kind)
    bare = replace(event, process=None, destination=None, traffic=None)
    run = booked([bare])[event.session or ""]
    assert (run.processes, run.connections, run.sent_bytes) == (0, 0, 0)


def test_an_attempt_without_a_verdict_has_none() -> None:
    """As a stream of another version may be."""
    tool = next(event for event in TOLD if event.kind is Kind.EXEC)
    run = booked([tool])["awyyzsd3"]
    assert (run.verdict, run.rule) == ("alert", "default")
    assert booked([replace(tool, verdict=None)])["awyyzsd3"].verdict is None


def test_an_event_of_no_session_is_in_no_run() -> None:
    """A loss belongs to nobody."""
    assert booked(event for event in TOLD if event.session is None) == {}


@pytest.mark.parametrize(
    ("session", "since", "until", "is_in"),
    [
        ("awyyzsd3", None, None, True),
        ("awyyzsd3", Seq(5), Seq(6), True),
        ("awyyzsd3", Seq(44), None, False),
        ("j353jvw7", Seq(4711), None, True),
        ("j353jvw7", None, Seq(41), False),
        ("awyyzsd3", Moment(instant("2026-11-23T14:00:48.0Z")), None, True),
        ("awyyzsd3", Moment(instant("2026-11-23T14:00:49.0Z")), None, False),
        ("j353jvw7", Moment(instant("2027-11-23T14:00:49.0Z")), None, True),
        ("j353jvw7", None, Moment(instant("2026-11-23T14:00:59.0Z")), False),
        ("j353jvw7", None, Moment(instant("2026-11-23T14:01:01.0Z")), True),
    ],
)
def test_a_session_is_within_a_window_in_which_it_ran(
    session: str, since: When | None, until: When | None, *, is_in: bool
) -> None:
    """One that runs still is within every window that has not ended before it began."""
    assert booked()[session].is_within(since, until, HERE) is is_in


def test_plain_values_have_the_names_of_the_stream() -> None:
    """JSON can hold them all."""
    plain = json.loads(json.dumps(booked()["awyyzsd3"].as_dict(HERE)))
    assert plain["session"] == "awyyzsd3"
    assert plain["state"] == "ended"
    assert plain["evidence"] == [{"signal": "name", "value": "claude"}]
    assert plain["argv"] == ["/opt/bin/claude", "-p", "fix it"]
    assert plain["duration_ns"] == 38 * SECOND - 1000


def test_a_user_without_a_name_is_a_number() -> None:
    """And none is a dash."""
    process = TOLD[0].process
    assert process
    assert user_of(replace(process, user=None)) == "1000"
    assert user_of(replace(process, user=None, uid=None)) == user_of(None) == "-"
    assert user_of(replace(process, user="a b")) == '"a b"'


def test_what_was_refused_is_counted_apart() -> None:
    """It is no connection and no process; a tool that was ended has that for its verdict."""
    told = [event for event in TOLD if event.session == TOLD[0].session]
    started = next(event for event in told if event.kind is Kind.EXEC)
    reached = next(event for event in told if event.kind is Kind.CONNECT)
    refused = [
        replace(one, verdict=Verdict.BLOCK, enforcement=Enforcement.KILL, rule="no")
        for one in (started, reached)
    ]
    [run] = booked(refused).values()
    assert (run.refused, run.connections, len(run.pids)) == (2, 0, 0)
    assert (run.verdict, run.rule) == ("block", "no")
    assert run.as_dict(Now(None, 0))["refused"] == 2
    assert any("2 refused" in line for line in run.head(Now(None, 0)))
