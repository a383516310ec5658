# SPDX-License-Identifier: Apache-2.0
"""An event has its number, its time, its owner, and a verdict if it was an attempt."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from support.case_events import FOUND
from support.story import (
    CATALOGUE,
    RESOLVER,
    SECOND,
    SHELL,
    StoryHost,
    at,
    close,
    connect,
    exec_,
    exit_,
    resolved,
)

from sensor.core.event import Destination, Event, Evidence, Kind, Lack, ProcessView, Verdict
from sensor.core.facts import Damaged, Found, Gap, Loss
from sensor.core.identity import Identity
from sensor.core.lineage import Member
from sensor.core.names import Endpoints, Names
from sensor.core.sessions import Session
from sensor.core.stream import DEFAULT_RULE, Stream

EVIDENCE = (Evidence("name", "claude"),)
IDENTITY = Identity(
    tool=CATALOGUE.tools[0], confidence=0.9, evidence=EVIDENCE, script="/usr/bin/claude"
)
EXEC = exec_(9, "claude", "-p", exe="/usr/bin/claude")
TO = Destination(ip=ip_address("192.0.2.1"), port=443, transport="tcp")


@pytest.fixture
def stream() -> Stream:
    """Return a stream on which nothing has been told."""
    return Stream(StoryHost(), 1)


def member(stream: Stream, *, depth: int | None = 0) -> Member:
    """Return Claude's first process, or one below it."""
    session = Session(
        id="k3v9q2xa",
        tool=CATALOGUE.tools[0],
        identity=IDENTITY,
        root=at(9),
        started_ns=at(9).started_ns,
        names=Names(Endpoints(CATALOGUE)),
        view=stream.image(EXEC, IDENTITY),
        processes=14,
    )
    return Member(
        process=at(9),
        ppid=1,
        session=session,
        depth=depth,
        image=session.view,
        recorded=True,
    )


def owned(event: Event) -> bool:
    """Tell whether an event says whose it is."""
    return (event.tool, event.vendor, event.session) == ("claude-code", "anthropic", "k3v9q2xa")


def test_events_are_numbered_and_dated(stream: Stream) -> None:
    """The host's offset turns nanoseconds since boot into a time of day."""
    first, second = (
        stream.missing(Loss(at_ns=SECOND + 5, what="exec", count=3)).event for _ in range(2)
    )
    assert (first.seq, second.seq) == (1, 2)
    assert (first.v, first.host, first.boot_id) == (1, "build-7", StoryHost.boot_id)
    assert (first.at, first.at_ns) == ("2026-11-23T14:00:01.000000005Z", SECOND + 5)


def test_a_process_is_shown_as_its_exec_left_it(stream: Stream) -> None:
    """Numbers that mean something to the host come with its word for them."""
    assert stream.image(EXEC, IDENTITY) == ProcessView(
        pid=9,
        started_ns=at(9).started_ns,
        ppid=1,
        exe="/usr/bin/claude",
        script="/usr/bin/claude",
        name_typed="/usr/bin/claude",
        argv=("claude", "-p"),
        cwd="/home/alice/src",
        uid=1000,
        user="alice",
        loginuid=1000,
        tty="pts/3",
        cgroup="/user.slice",
        cgroup_id=7,
        dev=EXEC.file.dev,
        ino=4711,
        fileless=False,
    )


def test_a_process_without_a_cgroup_id_has_no_cgroup(stream: Stream) -> None:
    """Nothing is looked up that is not there."""
    fact = exec_(9, "claude", cgroup_id=None)
    assert stream.image(fact, IDENTITY).cgroup is None


def test_the_exec_of_a_tool_is_an_alert_with_its_evidence(stream: Stream) -> None:
    """The default for a tool that no rule names."""
    event = stream.exec(EXEC, member(stream), IDENTITY).event
    assert owned(event)
    assert (event.kind, event.verdict, event.rule) == (Kind.EXEC, Verdict.ALERT, DEFAULT_RULE)
    assert (event.confidence, event.evidence, event.depth) == (0.9, EVIDENCE, 0)
    assert event.parent == SHELL


@pytest.mark.parametrize("depth", [1, 2, None])
def test_the_exec_of_a_descendant_is_allowed(stream: Stream, depth: int | None) -> None:
    """It is of the session, and nothing is claimed about what it is itself."""
    event = stream.exec(EXEC, member(stream, depth=depth), Identity()).event
    assert owned(event)
    assert (event.verdict, event.rule, event.depth) == (Verdict.ALLOW, DEFAULT_RULE, depth)
    assert (event.confidence, event.evidence) == (None, ())


def test_an_exit_has_its_status_and_the_length_of_the_life(stream: Stream) -> None:
    """A life begins with the fork, not with the exec."""
    event = stream.exit(exit_(9, status=256), member(stream)).event
    assert owned(event)
    assert (event.kind, event.verdict, event.duration_ns) == (Kind.EXIT, None, 3 * SECOND)
    assert event.process
    assert (event.process.exe, event.process.status) == ("/usr/bin/claude", 256)


def test_a_session_starts_with_its_evidence_and_ends_with_its_sum(stream: Stream) -> None:
    """Both show the process that it began with."""
    session = member(stream).session
    started = stream.started(EXEC, session).event
    ended = stream.ended(at(9).started_ns + SECOND, session).event
    assert owned(started)
    assert owned(ended)
    assert (started.kind, started.confidence, started.evidence) == (
        Kind.SESSION_START,
        0.9,
        EVIDENCE,
    )
    assert (ended.kind, ended.duration_ns, ended.processes, ended.hosts) == (
        Kind.SESSION_END,
        SECOND,
        14,
        0,
    )
    assert started.process is ended.process is session.view
    assert started.parent_session is None


def test_a_session_within_another_names_it(stream: Stream) -> None:
    """At its start and at its end."""
    outer, inner = member(stream).session, member(stream).session
    inner.parent = outer
    assert stream.started(EXEC, inner).event.parent_session == outer.id
    assert stream.ended(SECOND, inner).event.parent_session == outer.id


def test_a_connection_is_an_attempt_and_is_allowed(stream: Stream) -> None:
    """Where to is in the destination."""
    one = member(stream)
    event = stream.connect(connect(9, "192.0.2.1"), one, TO).event
    assert owned(event)
    assert (event.kind, event.verdict, event.rule) == (Kind.CONNECT, Verdict.ALLOW, DEFAULT_RULE)
    assert event.destination is TO
    assert event.process is one.image


def test_a_connection_is_made_by_the_user_of_the_moment(stream: Stream) -> None:
    """A process can have changed its user since its exec; /proc does not tell of a socket's."""
    one = member(stream)
    changed = stream.connect(connect(9, "192.0.2.1", uid=0), one, TO).event.process
    assert changed
    assert (changed.uid, changed.user, changed.exe) == (0, "root", "/usr/bin/claude")
    late = stream.connect(connect(9, "192.0.2.1", uid=0, late=True), one, TO).event
    assert (late.process, late.late) == (one.image, True)


def test_a_close_has_its_traffic(stream: Stream) -> None:
    """The time runs from the attempt on."""
    event = stream.close(close(9, "192.0.2.1", error=104), member(stream), TO).event
    assert owned(event)
    assert (event.kind, event.verdict, event.destination) == (Kind.CLOSE, None, TO)
    assert event.traffic
    assert (event.traffic.sent_bytes, event.traffic.received_bytes) == (12_595, 4_198)
    assert (event.traffic.duration_ns, event.traffic.outcome) == (SECOND, "reset")


def test_an_answer_names_the_resolver_the_question_and_the_addresses(stream: Stream) -> None:
    """The port is not in the fact, so it is not in the event."""
    fact = resolved(9, "api.anthropic.com", "192.0.2.1", rcode=0)
    event = stream.resolve(fact, member(stream), "anthropic").event
    assert owned(event)
    assert (event.kind, event.verdict) == (Kind.RESOLVE, None)
    assert event.destination == Destination(
        ip=RESOLVER,
        port=None,
        transport=None,
        name="api.anthropic.com",
        endpoint="anthropic",
        addresses=(ip_address("192.0.2.1"),),
        rcode=0,
    )


def test_what_was_lost_is_told_and_why(stream: Stream) -> None:
    """A damaged record is a lost one of which it is known where it broke."""
    lost = stream.missing(Loss(at_ns=5, what="exec", count=3)).event
    assert (lost.kind, lost.loss, lost.reason) == (Kind.LOSS, ("exec", 3), None)
    damaged = stream.missing(Damaged(at_ns=5, why="12 bytes")).event
    assert (damaged.kind, damaged.loss, damaged.reason) == (Kind.LOSS, ("record", 1), "12 bytes")
    assert (damaged.tool, damaged.session, damaged.process) == (None, None, None)


@pytest.mark.parametrize("seqs", [None, (7, 9)])
def test_a_gap_has_its_time_and_its_reason(stream: Stream, seqs: tuple[int, int] | None) -> None:
    """Numbers are named where some were given out and not kept."""
    start = StoryHost.wall_offset_ns
    told = stream.missing(Gap(at_ns=5, from_wall_ns=start - 10, why="down", seqs=seqs)).event
    assert told.kind is Kind.GAP
    assert told.reason == "down"
    assert told.gap == Lack("2026-11-23T13:59:59.999999990Z", told.at, *(seqs or ()))


def test_what_an_audit_found_is_nobodys_session(stream: Stream) -> None:
    """It has a tool, and no process."""
    assert FOUND.inventory
    told = stream.found(
        Found(at_ns=5, tool="codex", vendor="openai", inventory=FOUND.inventory)
    ).event
    assert (told.kind, told.tool, told.vendor) == (Kind.INVENTORY, "codex", "openai")
    assert (told.session, told.process, told.verdict) == (None, None, None)
    assert told.inventory == FOUND.inventory


def test_numbers_go_on_where_another_run_ended() -> None:
    """The first event has the number that was asked for."""
    lost = Stream(StoryHost(), 41).missing(Loss(at_ns=5, what="exec", count=3))
    assert lost.event.seq == 41
