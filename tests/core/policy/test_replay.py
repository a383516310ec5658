# SPDX-License-Identifier: Apache-2.0
"""What is stored is judged by a policy; what cannot be is counted."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from support.attempts import ALLOW, BLOCK, EVERY_TOOL, ONE_TOOL, exception, rule
from support.policies import NOW, known

from sensor.core.event import Destination, Event, Evidence, ProcessView
from sensor.core.policy.replay import Replay
from sensor.core.words import Kind, NameSource

ALICE = ProcessView(pid=1, started_ns=1, uid=1000, user="alice", cgroup="/a", exe="/opt/some")
TO = Destination(
    ip=ip_address("198.51.100.1"),
    port=443,
    transport="tcp",
    name="x.test",
    name_source=NameSource.DNS,
)


def event(kind: Kind, **more: object) -> Event:
    """Give an event of a tool's session."""
    told = Event(
        v=1,
        seq=1,
        boot_id="b",
        host="build-7",
        at="2027-01-15T10:00:00.000000000Z",
        at_ns=1,
        kind=kind,
        tool="some-cli",
        session="s1",
        process=ALICE,
    )
    return replace(told, **more)  # type: ignore[arg-type]


EXEC = event(Kind.EXEC, evidence=(Evidence("name", "some"),))
CONNECT = event(Kind.CONNECT, destination=TO)
START = event(Kind.SESSION_START)


def replayed(body: str, *events: Event, mode: str = "enforce") -> Replay:
    """Replay events, the starts of sessions first."""
    replay = Replay(known(body, mode), NOW)
    for one in events:
        if one.kind is Kind.SESSION_START:
            replay.start(one)
    for one in events:
        replay.take(one)
    return replay


def test_what_prove_tried_is_nobody_s() -> None:
    """Also a connection of its session whose own place was not seen."""
    root = replace(ALICE, uid=0, user="root", cgroup="/agent-sensor-prove-7")
    start = replace(START, process=root)
    tried = [replace(EXEC, process=root), replace(CONNECT, process=replace(root, cgroup=None))]
    replay = replayed(rule("no", ONE_TOOL, BLOCK), start, *tried, replace(EXEC, session="s2"))
    assert (replay.judged, replay.proofs) == (1, 2)
    assert [one.executions for one in replay.groups()] == [1]


def test_what_would_be_refused_is_counted() -> None:
    """By rule, user and host, with the mode that the rule has now."""
    later = replace(EXEC, at="2027-01-15T11:00:00.000000000Z", session="s2")
    earlier = replace(EXEC, at="2027-01-15T09:00:00.000000000Z")
    body = rule("no", ONE_TOOL, BLOCK, 'mode = "observe"')
    (group,) = replayed(body, START, EXEC, later, earlier, CONNECT, mode="shadow").groups()
    assert group.as_dict() == {
        "rule": "no",
        "mode": "observe",
        "user": "alice",
        "host": "build-7",
        "executions": 3,
        "connections": 1,
        "sessions": 2,
        "first_at": "2027-01-15T09:00:00.000000000Z",
        "last_at": "2027-01-15T11:00:00.000000000Z",
        "what": {"some-cli": 3, "x.test": 1},
    }
    assert group.texts() == [
        "no", "observe", "alice", "build-7", "3", "1", "2", "2027-01-15T11:00:00Z",
        "some-cli x.test",
    ]  # fmt: skip


def test_what_is_allowed_is_judged_and_not_listed() -> None:
    """Executions of what a tool starts are no attempts."""
    child = replace(EXEC, evidence=())
    replay = replayed(rule("yes", ONE_TOOL, ALLOW), START, EXEC, child, CONNECT)
    assert (replay.judged, replay.groups(), replay.unjudged) == (2, [], {})


def test_the_worst_comes_first() -> None:
    """Of groups; of one, the most frequent are named."""
    bob = replace(ALICE, user=None, uid=1001)
    nobody = replace(ALICE, user=None, uid=None)
    names = ["a.test", "a.test", "b.test", "c.test", "d.test"]
    many = [replace(CONNECT, destination=replace(TO, name=name), process=bob) for name in names]
    bare = replace(CONNECT, destination=replace(TO, name=None), process=nobody, session=None)
    first, second = replayed(rule("no", 'endpoints = ["*"]', BLOCK), *many, bare).groups()
    assert first.values == ("no", "enforce", "1001", "build-7")
    assert first.texts()[-1] == "a.test b.test c.test and 1 more"
    assert second.values == ("no", "enforce", None, "build-7")
    assert (second.sessions, second.texts()[-1]) == (0, "198.51.100.1")


def test_defaults_refuse_too() -> None:
    """With the mode of the whole."""
    (group,) = replayed('[defaults]\ntool = "block"\n', EXEC, mode="observe").groups()
    assert group.values == ("default", "observe", "alice", "build-7")


def test_a_session_within_another_is_of_both_tools() -> None:
    """The file is that of the innermost; a parent whose start is not stored is not known."""
    inner = replace(START, session="s2", tool="other-cli", parent_session="s1")
    deep = replace(CONNECT, session="s2", tool="other-cli")
    body = rule("no", ONE_TOOL, 'endpoints = ["x.test"]', BLOCK)
    assert len(replayed(body, START, inner, deep).groups()) == 1
    assert replayed(body, inner, deep).groups() == []
    assert len(replayed(body, CONNECT).groups()) == 1


def test_sessions_in_a_circle_end() -> None:
    """A store that says so is wrong, and not dangerous."""
    one = replace(START, parent_session="s2")
    two = replace(START, session="s2", parent_session="s1")
    assert replayed(rule("no", ONE_TOOL, BLOCK), one, two, CONNECT).judged == 1


def test_a_start_without_session_or_process_is_survived() -> None:
    """So is an event without what an attempt has."""
    replay = replayed(
        rule("no", EVERY_TOOL, BLOCK),
        replace(START, session=None),
        replace(START, process=None),
        replace(CONNECT, destination=None),
        replace(EXEC, tool=None),
        CONNECT,
    )
    assert replay.judged == 1


def test_a_process_of_which_nothing_is_known_is_judged_as_far_as_can_be() -> None:
    """By where it went, but not where the policy asks who it was."""
    stranger = replace(CONNECT, process=None, session=None, tool=None)
    (group,) = replayed(rule("no", 'endpoints = ["x.test"]', BLOCK), stranger).groups()
    assert group.values == ("no", "enforce", None, "build-7")
    for_alice = rule("no", 'endpoints = ["x.test"]', BLOCK, 'users = ["alice"]')
    assert replayed(for_alice, stranger).unjudged == {"its user is not known": 1}


def test_exceptions_count_as_they_stand_now() -> None:
    """What is past does not come back."""
    body = rule("no", ONE_TOOL, BLOCK) + exception("no", 'users = ["alice"]')
    assert replayed(body, EXEC).groups() == []


def test_a_proxy_is_judged_by_its_target() -> None:
    """Its own address says nothing."""
    proxied = replace(TO, name_source=NameSource.PROXY)
    confined = rule("stay", ONE_TOOL, ALLOW, 'egress_only = ["x.test", "198.51.100.1"]')
    assert replayed(confined, replace(CONNECT, destination=proxied)).groups() == []
    away = replace(proxied, name="y.test", port=None, transport=None)
    assert len(replayed(confined, replace(CONNECT, destination=away)).groups()) == 1


def test_who_is_asked_for_names_is_trusted() -> None:
    """Which resolvers the host had is not stored."""
    ask = replace(TO, port=53, transport="udp", name=None, ip=ip_address("203.0.113.53"))
    confined = rule("stay", ONE_TOOL, ALLOW, 'egress_only = ["x.test"]')
    assert replayed(confined, replace(CONNECT, destination=ask)).groups() == []


@pytest.mark.parametrize(
    ("condition", "process", "why"),
    [
        ('users = ["alice"]', replace(ALICE, uid=None), "its user is not known"),
        ('cgroups = ["/a"]', replace(ALICE, cgroup=None), "its cgroup is not known"),
        ('paths = ["/opt"]', replace(ALICE, exe=None), "the file of its tool is not known"),
        ("container = true", ALICE, "whether it was in a container is not stored"),
    ],
)
def test_what_cannot_be_judged_is_counted(condition: str, process: ProcessView, why: str) -> None:
    """With the reason, where the policy asks for what is missing."""
    replay = replayed(rule("no", ONE_TOOL, BLOCK, condition), replace(EXEC, process=process))
    assert (replay.judged, replay.groups(), replay.unjudged) == (0, [], {why: 1})
    plain = replayed(rule("no", ONE_TOOL, BLOCK), replace(EXEC, process=process))
    assert (plain.judged, len(plain.groups())) == (1, 1)


def test_a_container_does_not_always_matter() -> None:
    """Where both answers come to the same, it is judged."""
    body = rule("no", 'tools = ["other-cli"]', BLOCK, "container = true")
    assert replayed(body, EXEC).judged == 1
