# SPDX-License-Identifier: Apache-2.0
"""A program that the kernel did not run has seen nothing, and says nothing: who runs is found."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from support.host import copied
from support.scope import cgroup2_root

from sensor.core.engine import Engine
from sensor.core.facts import Loss
from sensor.core.words import Kind
from sensor.daemon.catalogues import catalogue
from sensor.daemon.sensing import Sensing
from sensor.edge.host import LocalHost

if TYPE_CHECKING:
    from support.loading import Loaded

    from sensor.core.event import Event

pytestmark = pytest.mark.kernel


def sensor(loaded: Loaded, told: list[Event]) -> Sensing:
    """Give a sensor over the probes that goes by all that runs in their scope."""
    known = catalogue()
    sensing = Sensing(loaded.pins, Engine(known, LocalHost(cgroup2_root())), tell=told.append)
    sensing.probing.teach(known)
    sensing.drain()
    sensing.reconcile(loaded.scope.path, top=cgroup2_root())
    return sensing


def test_a_tool_whose_execution_no_program_saw_is_found(loaded: Loaded) -> None:
    """And followed from then on, to its end."""
    told: list[Event] = []
    sensing, taker = sensor(loaded, told), sensor(loaded, [])
    tool = copied("cat", loaded.tool.parent / "missed")
    with loaded.scope.run([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.read(1) == b"\n"
        taker.drain()  # as if nobody had written the record
        taker.probing.members.release(taker.engine.processes()[0])
        told.clear()
        sensing.see(Loss(at_ns=1, what="missed", count=1))
        sensing.read()
        assert [event.kind for event in told] == [Kind.LOSS, Kind.SESSION_START, Kind.EXEC]
        assert told[1].late
        assert [one.pid for one in sensing.engine.processes()] == [process.pid]
        assert dict(sensing.probing.members.all()).keys() == {*sensing.engine.processes()}
    sensing.drain()
    assert told[-1].kind is Kind.SESSION_END
    sensing.probing.ring.close()
    taker.probing.ring.close()
