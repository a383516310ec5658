# SPDX-License-Identifier: Apache-2.0
"""What is known of an actor is put to policy as it is, and what is not known favours nobody."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from support.story import CATALOGUE, CLAUDE, StoryHost, at, connect, enforced, exec_, fork

from sensor.core.actions import Record
from sensor.core.engine import Engine
from sensor.core.facts import Process
from sensor.core.knowledge import Knowledge, literal
from sensor.core.words import Enforcement

RULE = '[[rule]]\nid = "no"\ntools = ["claude-code"]\nverdict = "block"\n'


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('users = ["alice"]', True),
        ('users = ["0"]', False),
        ('cgroups = ["/user.slice"]', True),
        ('cgroups = ["/build.slice"]', False),
        ('paths = ["/opt/bin"]', True),
        ('paths = ["/usr/bin"]', False),
        ("container = false", True),
        ("container = true", False),
    ],
)
def test_a_connection_is_its_process_s_and_its_tool_s(condition: str, *, holds: bool) -> None:
    """User, cgroup and container are of the process, the file is the tool's."""
    engine = Engine(CATALOGUE, StoryHost())
    for fact in (exec_(9, *CLAUDE), connect(9, "192.0.2.1")):
        list(engine.see(fact))
    told = [
        one.event
        for one in engine.policy(enforced(f"{RULE}{condition}\n"), at_ns=99)
        if isinstance(one, Record)
    ]
    how = [event.enforcement for event in told[1:]]
    assert how == ([Enforcement.DESTROY] if holds else [])


def test_a_process_in_a_container_is_judged_as_one() -> None:
    """Where it is, is asked of the host."""
    known = Knowledge(CATALOGUE, StoryHost(), limit=4, first_seq=1)
    inside = known.execution("codex", Process(1000, 5), None, ())
    assert (inside.in_container, inside.uid, inside.cgroup, inside.exe) == (True, -1, "/", None)


def test_a_process_of_lost_beginnings_is_its_session_s_user() -> None:
    """Nothing else is known of it."""
    engine = Engine(CATALOGUE, StoryHost())
    for fact in (exec_(9, *CLAUDE), fork(11, 12, root=9), connect(12, "192.0.2.1", root=9)):
        list(engine.see(fact))
    text = f'{RULE}users = ["alice"]\n'
    assert len(list(engine.policy(enforced(text), at_ns=99))) == 3
    assert at(12) in engine.processes()


@pytest.mark.parametrize(
    ("name", "address"),
    [("192.0.2.7", "192.0.2.7"), ("[2001:db8::7]", "2001:db8::7"), ("a.test", None), ("", None)],
)
def test_an_address_may_stand_in_the_place_of_a_name(name: str, address: str | None) -> None:
    """A proxy is asked for either."""
    assert literal(name) == (ip_address(address) if address else None)
