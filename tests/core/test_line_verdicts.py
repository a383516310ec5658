# SPDX-License-Identifier: Apache-2.0
"""A line says first that something was refused, and how; so do lines about policy itself."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from support.streams import event

from sensor.core.event import (
    Destination,
    Enforcement,
    Event,
    Evidence,
    HealthView,
    Kind,
    PolicyView,
    ProcessView,
    Verdict,
)
from sensor.core.line import line

EXE = "/usr/local/bin/claude"
WHO = "  (claude, pid 4711)"
CLAUDE = ProcessView(
    pid=4711,
    started_ns=1,
    exe=EXE,
    argv=("claude", "-p", "fix it"),
    cwd="/home/alice/src/x",
    uid=1000,
    user="alice",
)
NAMELESS = Destination(ip=ip_address("2001:db8::1"), port=443, transport="tcp")
API = replace(NAMELESS, name="api.anthropic.com", endpoint="anthropic")
EXEC, CONNECT = (replace(event(7, kind=kind), process=CLAUDE) for kind in (Kind.EXEC, Kind.CONNECT))
TRAIL = f"runtime-1 added by uid 0: tool aider, until {'x' * 40}, ticket SEC-7"
POLICY, HEALTH = (replace(event(7, kind=kind), process=None) for kind in (Kind.POLICY, Kind.HEALTH))


def said(
    one: Event,
    how: Enforcement,
    *,
    verdict: Verdict = Verdict.BLOCK,
    rule: str | None = "no-agents",
) -> Event:
    """Return an event with what policy said of it."""
    return replace(one, verdict=verdict, enforcement=how, rule=rule)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (
            said(EXEC, Enforcement.LSM),
            (
                f'exec     BLOCKED (lsm) by no-agents: alice     {EXE} -p "fix it"'
                "  (cwd /home/alice/src/x, pid 4711)"
            ),
        ),
        (
            said(replace(CONNECT, destination=API), Enforcement.TLS),
            (f"connect  BLOCKED (tls) by no-agents: [2001:db8::1]:443 api.anthropic.com tcp{WHO}"),
        ),
        (
            said(replace(CONNECT, destination=API), Enforcement.NONE, verdict=Verdict.WOULD_BLOCK),
            (f"connect  WOULD BLOCK by no-agents: [2001:db8::1]:443 api.anthropic.com tcp{WHO}"),
        ),
        (
            said(
                replace(
                    CONNECT,
                    destination=NAMELESS,
                    process=ProcessView(pid=7, started_ns=1, comm="\x1b[2J"),
                ),
                Enforcement.NONE,
                rule=None,
            ),
            ('connect  NOT BLOCKED, against -: [2001:db8::1]:443 tcp  ("\\x1b[2J", pid 7)'),
        ),
        (
            replace(
                POLICY,
                policy=PolicyView(
                    standing="in_force",
                    generation=3,
                    source="/etc/policy.toml",
                    rules=2,
                    mode="shadow",
                ),
            ),
            "policy   in force, generation 3, /etc/policy.toml, 2 rules, shadow",
        ),
        (
            replace(
                POLICY,
                policy=PolicyView(standing="in_force", generation=4, rules=1, blocks=1),
            ),
            "policy   in force, generation 4, 1 rule, 1 block",
        ),
        (
            replace(
                POLICY,
                policy=PolicyView(standing="kept", generation=3),
                reason="policy.toml:7: no such tool",
            ),
            'policy   kept, generation 3: "policy.toml:7: no such tool"',
        ),
        (
            replace(
                POLICY,
                policy=PolicyView(standing="in_force", generation=3, blocks=1),
                reason=TRAIL,
            ),
            f'policy   in force, generation 3, 1 block: "{TRAIL}"',
        ),
        (POLICY, "policy   -"),
        (
            replace(HEALTH, health=HealthView("enforcement", is_well=True)),
            "health   enforcement works",
        ),
        (
            replace(HEALTH, health=HealthView("enforcement", is_well=False), reason="let through"),
            'health   enforcement FAILS: "let through"',
        ),
        (
            replace(HEALTH, health=HealthView("sensor", is_well=False), reason="by SIGTERM"),
            'health   sensor stopped: "by SIGTERM"',
        ),
        (HEALTH, "health   -"),
    ],
)
def test_a_line_begins_with_what_policy_did(told: Event, text: str) -> None:
    """All else goes without saying."""
    assert line(told) == f"14:03:07.512  -         codex         {text}"


def test_a_line_says_what_is_dangerous_and_who_ran_it() -> None:
    """Behind all else."""
    event = Event(
        v=1, seq=1, boot_id="b", host="h", at="2026-11-23T14:03:07.512345678Z", at_ns=1,
        kind=Kind.EXEC, tool="codex", lineage="marker",
        risk=(Evidence("unguarded", "--yolo"),), evidence=(Evidence("runner", "pytest"),),
        process=ProcessView(pid=9, started_ns=8, exe="/usr/bin/codex"),
    )  # fmt: skip
    assert line(event).endswith(
        "(codex, pid 9, unguarded by --yolo, run by pytest, lineage by marker)"
    )


def test_a_line_says_that_it_is_not_known_whose_a_process_is() -> None:
    """It is by nothing that it is ambiguous."""
    event = Event(
        v=1, seq=1, boot_id="b", host="h", at="2026-11-23T14:03:07.512345678Z", at_ns=1,
        kind=Kind.EXEC, lineage="ambiguous",
        process=ProcessView(pid=9, started_ns=8, exe="/usr/bin/make"),
    )  # fmt: skip
    assert line(event).endswith("(make, pid 9, lineage ambiguous)")
