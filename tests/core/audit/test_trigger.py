# SPDX-License-Identifier: Apache-2.0
"""An audit follows the first detection of a tool and a user."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sensor.core.audit import trigger
from sensor.core.audit.trigger import On, Trigger
from sensor.core.event import Event, Kind, ProcessView, Verdict

EXEC = Event(
    v=1, seq=1, boot_id="b", host="h", at="2026-11-23T14:03:07Z", at_ns=1, kind=Kind.EXEC,
    verdict=Verdict.ALERT, tool="codex", process=ProcessView(pid=1, started_ns=1, uid=1000),
)  # fmt: skip


def risky(tool: str) -> bool:
    """Class codex as high-risk."""
    return tool == "codex"


def test_it_follows_once() -> None:
    """For each tool and user."""
    trigger = Trigger(On.ALERT, is_high_risk=risky)
    other = replace(EXEC, tool="llm")
    root = replace(EXEC, process=ProcessView(pid=1, started_ns=1, uid=0))
    assert [trigger.user(one) for one in (EXEC, EXEC, other, root, root)] == [
        1000, None, 1000, 0, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("on", "event", "uid"),
    [
        (On.OFF, EXEC, None),
        (On.HIGH_RISK, EXEC, 1000),
        (On.HIGH_RISK, replace(EXEC, tool="llm"), None),
        (On.ALERT, replace(EXEC, verdict=Verdict.ALLOW), None),
        (On.ALERT, replace(EXEC, verdict=None), None),
        (On.ALERT, replace(EXEC, kind=Kind.CONNECT), None),
        (On.ALERT, replace(EXEC, process=None), None),
        (On.ALERT, replace(EXEC, tool=None), None),
    ],
)
def test_it_follows_what_was_asked_for(on: On, event: Event, uid: int | None) -> None:
    """A tool that may run is no reason."""
    assert Trigger(on, is_high_risk=risky).user(event) == uid


def test_its_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is full it begins anew: a user is then audited once more."""
    monkeypatch.setattr(trigger, "MOST", 2)
    ours = Trigger(On.ALERT, is_high_risk=risky)
    tools = ["a", "b", "a", "c", "a"]
    told = [ours.user(replace(EXEC, tool=tool)) for tool in tools]
    assert told == [1000, 1000, None, 1000, 1000]
