# SPDX-License-Identifier: Apache-2.0
"""Events of a report: one connection, what an audit found, and what policy refused."""

from __future__ import annotations

from dataclasses import replace

from sensor.core.actions import Record
from sensor.core.engine import Engine
from sensor.core.event import Event, Kind
from sensor.core.facts import Health
from sensor.core.inventory import Clue, Inventory
from sensor.core.words import Enforcement, Verdict
from support.recorded import recorded
from support.story import (
    CATALOGUE,
    CLAUDE,
    CODEX,
    SECOND,
    StoryHost,
    connect,
    enforced,
    events,
    exec_,
    hello,
    ruling,
)

CONNECT = next(event for event in recorded() if event.kind is Kind.CONNECT)
HOSTILE = "/home/alice/<script>alert(1)</script>\x1b[31m\u202e"
FOUND: Event = replace(
    CONNECT, seq=1, kind=Kind.INVENTORY, verdict=None, rule=None, tool="codex", process=None,
    session=None, destination=None, depth=None, parent=None,
    inventory=Inventory(
        user="alice", uid=1000, home="/home/alice", place=None, state="installed",
        certainty="certain", first_seen="2026-11-01T10:00:00Z", last_used=None,
        versions=("1.0", "2.0"), traces_left_out=3,
        traces=(
            Clue(kind="npm", shows="installed", certainty="certain", path=HOSTILE, version="2.0",
                 first_at="2026-11-01T10:00:00Z", shared_with=("codex-sdk",)),
            Clue(kind="state", shows="used", certainty="likely", path="/x", note="3 files"),
        ),
    ),
)  # fmt: skip

POLICY = """
[[rule]]
id = "no-codex"
tools = ["codex"]
verdict = "block"
message = "Use qwen."
[[rule]]
id = "tried"
tools = ["claude-code"]
endpoints = ["192.0.2.7"]
verdict = "block"
mode = "shadow"
[[rule]]
id = "names"
endpoints = ["anthropic.com"]
verdict = "block"
"""


def refusals() -> list[Event]:
    """Return what an engine tells that has a policy: something is refused in each way."""
    engine = Engine(CATALOGUE, StoryHost())
    told = events(engine, exec_(10, *CLAUDE), connect(10, "192.0.2.9", cookie=1))
    for action in engine.policy(enforced(POLICY), at_ns=11 * SECOND):
        told += [action.event] if isinstance(action, Record) else []
    block, shadow = Verdict.BLOCK, Verdict.WOULD_BLOCK
    told += events(
        engine,
        exec_(12, *CODEX, refused=True, ruled=ruling(block, Enforcement.LSM, rule=0)),
        connect(10, "192.0.2.8", cookie=2, ruled=ruling(block, Enforcement.CGROUP, rule=2)),
        connect(10, "192.0.2.7", cookie=3, ruled=ruling(shadow, rule=1)),
        hello(10, "192.0.2.9", "api.anthropic.com", ruled=ruling(block, Enforcement.TLS, rule=2)),
        exec_(13, *CODEX, ruled=ruling(block, rule=0)),
        Health(at_ns=20 * SECOND, what="enforcement", is_well=False, why="the canary got through"),
    )
    return told
