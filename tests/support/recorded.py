# SPDX-License-Identifier: Apache-2.0
"""A stream that commands are shown on: what the engine told of one made-up morning.

Alice runs claude, which builds with make and starts codex; a name is hostile, a
session has not ended, records were lost and the sensor was away for a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.engine import Engine
from sensor.core.facts import Gap, Loss, Transport
from sensor.core.seal import Hole
from sensor.edge.store import Store
from sensor.wire.frame import body, frame_of
from sensor.wire.row import row_of
from support.story import (
    CATALOGUE,
    CLAUDE,
    CODEX,
    SECOND,
    SHELL,
    StoryHost,
    at,
    close,
    connect,
    events,
    exec_,
    exit_,
    fork,
    resolved,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sensor.core.event import Event
    from sensor.core.facts import Fact
    from sensor.wire.frame import Frame

HOSTILE = "red\x1b[31m\u202egnp.exe\n"
COMPILERS = range(20, 30)


def _build() -> Iterator[Fact]:
    """Have make run ten compilers; the shell between them runs nothing itself."""
    yield fork(10, 12)
    yield exec_(12, "/usr/bin/make", "-j2", parent=at(10), root=10)
    for pid in COMPILERS:
        yield fork(12, pid, root=10)
        yield exec_(pid, "/usr/bin/cc1", f"part{pid}.c", parent=at(12), root=10)
        yield exit_(pid, root=10)
    yield fork(12, 31, root=10)
    yield fork(31, 32, root=10)
    yield exec_(32, "/usr/bin/printf", HOSTILE, parent=at(31), root=10)
    yield exit_(32, root=10, status=9)
    yield exit_(31, root=10)


def _codex() -> Iterator[Fact]:
    """Have make start a tool, that talks to an address without a name."""
    yield fork(12, 40, root=10)
    yield exec_(40, *CODEX, parent=at(12), root=10)
    yield connect(40, "2001:db8::9", cookie=2, root=40)
    yield close(40, "2001:db8::9", cookie=2, root=40, error=111, established=False)
    yield connect(40, "192.0.2.53", port=53, cookie=3, root=40, transport=Transport.UDP)
    yield exit_(40, root=40, after_s=4)


def _story() -> Iterator[Fact]:
    yield exec_(10, *CLAUDE)
    yield resolved(10, "api.anthropic.com", "198.51.100.7", "2001:db8:a::7")
    yield resolved(10, "telemetry.example.com", rcode=3)
    yield connect(10, "198.51.100.7")
    yield close(10, "198.51.100.7")
    yield from _build()
    yield from _codex()
    yield exit_(12, root=10, after_s=34)
    yield exit_(10, after_s=38)
    yield Loss(at_ns=50 * SECOND, what="exec", count=3)
    yield Gap(
        at_ns=55 * SECOND,
        from_wall_ns=StoryHost.wall_offset_ns + 52 * SECOND,
        why="the sensor was not running",
    )
    yield exec_(60, "/opt/python3.11", "-m", "aider", "--yes", exe="/opt/python3.11", parent=SHELL)
    yield connect(60, "198.51.100.8", cookie=4)


def recorded() -> Sequence[Event]:
    """Return the events of that morning; each time the same."""
    facts = sorted(_story(), key=lambda fact: fact.at_ns)
    return events(Engine(CATALOGUE, StoryHost()), *facts)


def stored(path: Path, told: Sequence[Event]) -> None:
    """Write events without holes between them into a store, sealed in two batches."""
    rows = [row_of(one, body(one)) for one in told]
    with Store(path) as store:
        store.begin()
        before = [Hole(1, told[0].seq - 1, "cut off")] if told[0].seq > 1 else []
        store.append(rows[: len(rows) // 2], before)
        store.append(rows[len(rows) // 2 :])
        store.finish(told[-1].seq + 1)


def framed(told: Sequence[Event]) -> list[Frame]:
    """Return events as the hub takes them."""
    return [frame_of(one) for one in told]
