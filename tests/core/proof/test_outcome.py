# SPDX-License-Identifier: Apache-2.0
"""What an attempt comes to: what happened, held beside what is told."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from support.streams import event

from sensor.core.event import Destination, ProcessView
from sensor.core.facts import Process
from sensor.core.proof import outcome
from sensor.core.proof.aim import Aim
from sensor.core.proof.outcome import Tried
from sensor.core.proof.technique import Result
from sensor.core.proof.techniques import TECHNIQUES
from sensor.core.words import Enforcement, Kind, Verdict

BY_ID = {one.id: one for one in TECHNIQUES}
PLAIN, LATE, BLIND = BY_ID["plain"], BY_ID["loader-flag"], BY_ID["renamed-copy"]
CONNECT = BY_ID["connect"]
ADDRESS = ip_address("192.0.2.7")
AIM = Aim(expected=Result.REFUSED, rule="no", by=Enforcement.KILL, tool="aider", mark="aider")
REACH = Aim(expected=Result.REFUSED, rule="no", by=Enforcement.CGROUP, address=ADDRESS, port=8443)
PIDS = frozenset({7})
KILLED = Tried(through=False, ended="SIGKILL", pids=PIDS)
RAN = Tried(through=True, pids=PIDS)
TOLD = replace(
    event(1),
    verdict=Verdict.BLOCK,
    enforcement=Enforcement.KILL,
    rule="no",
    process=ProcessView(pid=7, started_ns=1),
)
ALLOWED = replace(TOLD, verdict=Verdict.ALLOW, enforcement=None)
SHADOW = replace(TOLD, verdict=Verdict.WOULD_BLOCK, enforcement=Enforcement.NONE)
OTHERS = replace(TOLD, process=ProcessView(pid=8, started_ns=1))


@pytest.mark.parametrize(
    ("technique", "tried", "told", "result", "detail"),
    [
        (PLAIN, KILLED, [TOLD], Result.REFUSED, "block by kill, rule no; it ended with SIGKILL"),
        (PLAIN, RAN, [SHADOW], Result.DETECTED, "told as would_block, rule no"),
        (PLAIN, RAN, [], Result.MISSED, "nobody was told"),
        (PLAIN, RAN, [ALLOWED, OTHERS], Result.MISSED, "nobody was told"),
        (BLIND, RAN, [], Result.MISSED, "too small to be looked into"),
        (LATE, KILLED, [TOLD], Result.DETECTED, "soon enough or not"),
        (LATE, RAN, [TOLD], Result.DETECTED, "it went through"),
        (PLAIN, Tried(through=False, lacks="no such call"), [], Result.IMPOSSIBLE, "no such call"),
        (PLAIN, KILLED, [], Result.FAILED, "told as nothing"),
        (PLAIN, KILLED, [SHADOW], Result.FAILED, "told as would_block"),
        (PLAIN, Tried(through=False, pids=PIDS), [], Result.FAILED, "nothing came of it"),
    ],
)
def test_a_result_is_what_happened_and_what_is_told(
    technique: object, tried: Tried, told: list[object], result: Result, detail: str
) -> None:
    """Neither alone is enough for a refusal."""
    row = outcome.row(technique, AIM, tried, told)  # type: ignore[arg-type]
    assert row.result is result
    assert detail in row.detail


@pytest.mark.parametrize(
    ("told", "aim", "wrong"),
    [
        (replace(TOLD, enforcement=Enforcement.LSM), AIM, "that is not how it ended"),
        (TOLD, replace(AIM, by=Enforcement.LSM), "lsm was to be expected"),
        (replace(TOLD, rule="other"), AIM, "rule no was to be expected"),
    ],
)
def test_a_refusal_that_is_told_wrong_is_a_failure(told: object, aim: Aim, wrong: str) -> None:
    """The way and the rule are part of what is told."""
    row = outcome.row(PLAIN, aim, KILLED, [told])  # type: ignore[list-item]
    assert row.result is Result.FAILED
    assert row.detail.endswith(f"but {wrong}")


def test_an_event_is_of_those_who_tried_or_started_them() -> None:
    """A child that was refused between fork and exec is known by its parent alone."""
    child = replace(OTHERS, parent=Process(7, 1))
    assert outcome.row(PLAIN, AIM, KILLED, [child]).result is Result.REFUSED


def test_an_event_that_names_nobody_is_known_by_its_destination() -> None:
    """And says so."""
    there = Destination(ip=ADDRESS, port=8443, transport="tcp")
    told = replace(
        TOLD, kind=Kind.CONNECT, enforcement=Enforcement.CGROUP, process=None, destination=there
    )
    row = outcome.row(CONNECT, REACH, replace(KILLED, ended="connect: EPERM"), [told])
    assert row.result is Result.REFUSED
    assert "by whom is not said" in row.detail
    elsewhere = replace(told, destination=replace(there, port=1))
    assert outcome.row(CONNECT, REACH, KILLED, [elsewhere]).result is Result.FAILED
    nowhere = replace(told, destination=None)
    assert outcome.row(CONNECT, REACH, KILLED, [nowhere]).result is Result.FAILED


def test_nothing_is_waited_for_that_cannot_come() -> None:
    """What lacks, and what is missed; all else until it is told."""
    missed = replace(AIM, expected=Result.MISSED)
    assert outcome.is_settled(BLIND, missed, RAN, [])
    assert outcome.is_settled(PLAIN, AIM, Tried(through=False, lacks="x"), [])
    assert not outcome.is_settled(PLAIN, AIM, KILLED, [])
    assert outcome.is_settled(PLAIN, AIM, KILLED, [TOLD])


@pytest.mark.parametrize("technique", [PLAIN, CONNECT], ids=lambda one: one.id)
def test_an_idle_row_says_why(technique: object) -> None:
    """The policy has nothing of the sort."""
    row = outcome.idle(technique)  # type: ignore[arg-type]
    assert row.expected is row.result is Result.NOTHING
    assert row.detail in {outcome.NO_TOOL, outcome.NO_DESTINATION}
