# SPDX-License-Identifier: Apache-2.0
"""An audit follows the first detection of a tool and a user."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sensor.core.audit import trigger
from sensor.core.audit.trigger import Occasion, On, Trigger
from sensor.core.event import Event, Kind, ProcessView, Verdict

EXEC = Event(
    v=1, seq=1, boot_id="b", host="h", at="2026-11-23T14:03:07Z", at_ns=1, kind=Kind.EXEC,
    verdict=Verdict.ALERT, tool="codex", process=ProcessView(pid=1, started_ns=1, uid=1000),
)  # fmt: skip


RISKY = frozenset({"codex"})


def test_it_follows_once() -> None:
    """For each tool and user."""
    trigger, occasion = Trigger(), Occasion(On.ALERT)
    other = replace(EXEC, tool="llm")
    root = replace(EXEC, process=ProcessView(pid=1, started_ns=1, uid=0))
    assert [trigger.user(one, occasion) for one in (EXEC, EXEC, other, root, root)] == [
        1000, None, 1000, 0, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("on", "event", "uid"),
    [
        (On.OFF, EXEC, None),
        (On.HIGH_RISK, EXEC, 1000),
        (On.HIGH_RISK, replace(EXEC, tool="llm"), None),
        (On.ALERT, replace(EXEC, verdict=Verdict.BLOCK), 1000),
        (On.ALERT, replace(EXEC, verdict=Verdict.WOULD_BLOCK), 1000),
        (On.ALERT, replace(EXEC, verdict=Verdict.ALLOW), None),
        (On.ALERT, replace(EXEC, verdict=None), None),
        (On.ALERT, replace(EXEC, kind=Kind.CONNECT), None),
        (On.ALERT, replace(EXEC, process=None), None),
        (On.ALERT, replace(EXEC, tool=None), None),
    ],
)
def test_it_follows_what_was_asked_for(on: On, event: Event, uid: int | None) -> None:
    """A tool that may run is no reason."""
    assert Trigger().user(event, Occasion(on, RISKY)) == uid


def test_what_prove_tried_is_followed_by_none() -> None:
    """It says nothing of the environment of root."""
    place = ProcessView(pid=1, started_ns=1, uid=0, cgroup="/agent-sensor-prove-7")
    ours, occasion = Trigger(), Occasion(On.ALERT)
    assert ours.user(replace(EXEC, process=place), occasion) is None
    assert ours.user(replace(EXEC, process=replace(place, cgroup="/a")), occasion) == 0


def test_its_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is full it begins anew: a user is then audited once more."""
    monkeypatch.setattr(trigger, "MOST", 2)
    ours, occasion = Trigger(), Occasion(On.ALERT)
    tools = ["a", "b", "a", "c", "a"]
    told = [ours.user(replace(EXEC, tool=tool), occasion) for tool in tools]
    assert told == [1000, 1000, None, 1000, 1000]


def test_what_it_follows_may_change() -> None:
    """A policy that comes into force finds what was passed over before, and nothing twice."""
    ours = Trigger()
    wants = [Occasion(), Occasion(On.HIGH_RISK, RISKY), Occasion(On.ALERT)]
    assert [ours.user(EXEC, one) for one in wants] == [None, 1000, None]
