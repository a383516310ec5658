# SPDX-License-Identifier: Apache-2.0
"""An event has its owner, and a verdict if it was an attempt."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
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

from sensor.core.event import Destination, Enforcement, Event, Evidence, Kind, Verdict
from sensor.core.identity import Identity
from sensor.core.judgment import ALLOWED, DEFAULT_RULE, Judgment
from sensor.core.lineage import Member
from sensor.core.names import Endpoints, Names
from sensor.core.numbering import Numbering
from sensor.core.sessions import Session
from sensor.core.stream import Stream
from sensor.core.views import image
from sensor.core.words import UNKNOWN_CLIENT

EVIDENCE = (Evidence("name", "claude"),)
IDENTITY = Identity(
    tool=CATALOGUE.tools[0], confidence=0.9, evidence=EVIDENCE, script="/usr/bin/claude"
)
EXEC = exec_(9, "claude", "-p", exe="/usr/bin/claude")
TO = Destination(ip=ip_address("192.0.2.1"), port=443, transport="tcp")
SAID = (Verdict.BLOCK, Enforcement.LSM, "no-agents", "Use the other one.")
BLOCKED = Judgment(verdict=SAID[0], enforcement=SAID[1], rule=SAID[2], reason=SAID[3])


@pytest.fixture
def stream() -> Stream:
    """Return a stream on which nothing has been told."""
    return Stream(StoryHost(), Numbering(StoryHost(), 1))


def member(*, depth: int | None = 0) -> Member:
    """Return Claude's first process, or one below it."""
    session = Session(
        id="k3v9q2xa",
        tool=CATALOGUE.tools[0],
        identity=IDENTITY,
        root=at(9),
        started_ns=at(9).started_ns,
        names=Names(Endpoints(CATALOGUE)),
        view=image(StoryHost(), EXEC, IDENTITY),
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


def said(event: Event) -> tuple[object, ...]:
    """Return what an event says of policy."""
    return event.verdict, event.enforcement, event.rule, event.reason


def owned(event: Event) -> bool:
    """Tell whether an event says whose it is."""
    return (event.tool, event.vendor, event.session) == ("claude-code", "anthropic", "k3v9q2xa")


def test_the_exec_of_a_tool_has_its_verdict_and_its_evidence(stream: Stream) -> None:
    """What policy said is told with the rule, how it was done, and what the rule says."""
    event = stream.exec(EXEC, member(), IDENTITY, BLOCKED).event
    assert owned(event)
    assert (event.kind, *said(event)) == (Kind.EXEC, *SAID)
    assert (event.confidence, event.evidence, event.depth) == (0.9, EVIDENCE, 0)
    assert event.parent == SHELL


@pytest.mark.parametrize("depth", [1, 2, None])
def test_the_exec_of_a_descendant_is_allowed(stream: Stream, depth: int | None) -> None:
    """It is of the session, and nothing is claimed about what it is itself."""
    event = stream.exec(EXEC, member(depth=depth), Identity(), ALLOWED).event
    assert owned(event)
    assert (event.verdict, event.rule, event.depth) == (Verdict.ALLOW, DEFAULT_RULE, depth)
    assert (event.confidence, event.evidence) == (None, ())


def test_an_exit_has_its_status_and_the_length_of_the_life(stream: Stream) -> None:
    """A life begins with the fork, not with the exec."""
    event = stream.exit(exit_(9, status=256), member()).event
    assert owned(event)
    assert (event.kind, event.verdict, event.duration_ns) == (Kind.EXIT, None, 3 * SECOND)
    assert event.process
    assert (event.process.exe, event.process.status) == ("/usr/bin/claude", 256)


def test_a_session_starts_with_its_evidence_and_ends_with_its_sum(stream: Stream) -> None:
    """Both show the process that it began with."""
    session = member().session
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
    outer, inner = member().session, member().session
    inner.parent = outer
    assert stream.started(EXEC, inner).event.parent_session == outer.id
    assert stream.ended(SECOND, inner).event.parent_session == outer.id


def test_a_connection_is_an_attempt(stream: Stream) -> None:
    """Where to is in the destination."""
    one = member()
    event = stream.connect(connect(9, "192.0.2.1"), one, TO, BLOCKED).event
    assert owned(event)
    assert (event.kind, *said(event)) == (Kind.CONNECT, *SAID)
    assert event.destination is TO
    assert event.process is one.image


def test_a_connection_is_made_by_the_user_of_the_moment(stream: Stream) -> None:
    """A process can have changed its user since its exec; /proc does not tell of a socket's."""
    one = member()
    changed = stream.connect(connect(9, "192.0.2.1", uid=0), one, TO, ALLOWED).event.process
    assert changed
    assert (changed.uid, changed.user, changed.exe) == (0, "root", "/usr/bin/claude")
    late = stream.connect(connect(9, "192.0.2.1", uid=0, late=True), one, TO, ALLOWED).event
    assert (late.process, late.late) == (one.image, True)


def test_a_close_has_its_traffic(stream: Stream) -> None:
    """The time runs from the attempt on."""
    event = stream.close(close(9, "192.0.2.1", error=104), member(), TO).event
    assert owned(event)
    assert (event.kind, event.verdict, event.destination) == (Kind.CLOSE, None, TO)
    assert event.traffic
    assert (event.traffic.sent_bytes, event.traffic.received_bytes) == (12_595, 4_198)
    assert (event.traffic.duration_ns, event.traffic.outcome) == (SECOND, "reset")


def test_an_answer_names_the_resolver_the_question_and_the_addresses(stream: Stream) -> None:
    """The port is not in the fact, so it is not in the event."""
    fact = resolved(9, "api.anthropic.com", "192.0.2.1", rcode=0)
    event = stream.resolve(fact, member(), "anthropic").event
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


def test_a_refused_image_is_told_by_the_tool_that_it_would_have_been(stream: Stream) -> None:
    """Within the session of another tool, and at the depth that it would have had there."""
    session = member().session
    event = stream.refused(EXEC, IDENTITY, BLOCKED, (session, 2)).event
    assert (event.kind, *said(event)) == (Kind.EXEC, *SAID)
    assert (event.tool, event.vendor, event.session, event.depth) == (
        "claude-code", "anthropic", "k3v9q2xa", 2,
    )  # fmt: skip
    assert (event.confidence, event.evidence, event.parent) == (0.9, EVIDENCE, SHELL)
    assert event.process == image(StoryHost(), EXEC, IDENTITY)


def test_what_is_refused_may_be_no_tool_and_in_no_session(stream: Stream) -> None:
    """As where there is no room to follow it."""
    event = stream.refused(EXEC, Identity(confidence=0.3), BLOCKED, (None, None)).event
    assert (event.tool, event.vendor, event.session, event.depth) == (None,) * 4
    assert (event.confidence, event.evidence) == (None, ())


def test_what_ran_and_was_open_already_is_told_late(stream: Stream) -> None:
    """It is an attempt that policy has an opinion on only now."""
    one = member()
    ran = stream.ran_already(SECOND, one, BLOCKED).event
    opened = stream.open_already(SECOND, one, TO, BLOCKED).event
    for event, kind in ((ran, Kind.EXEC), (opened, Kind.CONNECT)):
        assert owned(event)
        assert (event.kind, event.late, event.at_ns, *said(event)) == (kind, True, SECOND, *SAID)
    assert opened.destination is TO


def test_a_stranger_who_reaches_an_endpoint_is_an_unknown_client(stream: Stream) -> None:
    """One who reaches anything else has no tool at all."""
    fact = connect(9, "192.0.2.1")
    known = stream.stranger(fact, None, replace(TO, endpoint="anthropic"), BLOCKED).event
    assert (known.tool, known.vendor, known.session) == (UNKNOWN_CLIENT, None, None)
    assert (known.kind, *said(known)) == (Kind.CONNECT, *SAID)
    assert stream.stranger(fact, None, TO, BLOCKED).event.tool is None


def test_what_joined_a_session_is_told_with_what_put_it_there(stream: Stream) -> None:
    """Its later doings too; the tool itself is still known by what it is."""
    asked = replace(IDENTITY, tool=None, evidence=(), lineage=(Evidence("client", "tmux 18"),))
    one = replace(member(depth=2), lineage="client")
    told = stream.exec(EXEC, one, asked, ALLOWED).event
    assert (told.lineage, told.evidence, told.depth) == ("client", asked.lineage, 2)
    assert stream.exit(exit_(9), one).event.lineage == "client"
    tool = stream.exec(EXEC, replace(one, depth=0), IDENTITY, ALLOWED).event
    assert (tool.lineage, tool.evidence) == ("client", IDENTITY.evidence)


def test_what_may_be_in_several_sessions_is_told_in_none(stream: Stream) -> None:
    """With each of them."""
    either = replace(IDENTITY, tool=None, lineage=(Evidence("either", "k3v9q2xa"),))
    told = stream.undecided(EXEC, either, ALLOWED).event
    assert (told.session, told.tool, told.lineage) == (None, None, "ambiguous")
    assert told.evidence == either.lineage
    assert told.process
    assert told.process.exe == EXEC.exe
