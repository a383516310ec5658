# SPDX-License-Identifier: Apache-2.0
"""Events of a report: one connection, and what an audit found."""

from __future__ import annotations

from dataclasses import replace

from sensor.core.event import Event, Kind
from sensor.core.inventory import Clue, Inventory
from support.recorded import recorded

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
