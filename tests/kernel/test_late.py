# SPDX-License-Identifier: Apache-2.0
"""A sensor that starts after the tools finds them, and the connections that they have open."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from support.patience import SOON_S
from support.scope import Scope
from support.stage import TIMES
from support.watching import Watching

if TYPE_CHECKING:
    from support.drivers import Drivers
    from support.network import Network

# Each starts daemons or tables of its own, which takes an emulated kernel long.
pytestmark = [pytest.mark.kernel, pytest.mark.long]


@pytest.mark.parametrize("host", ["127.0.0.1", "2001:db8::1"])
def test_tools_that_run_already_are_found_late(
    drivers: Drivers, network: Network, host: str
) -> None:
    """Each is a session with its exec and its open connection, marked as found late."""
    argv = network.entered(drivers.tool("hold"), host, str(network.tcp_port))
    with Scope() as scope:
        tools = [
            scope.run(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(TIMES)
        ]
        for tool in tools:
            assert tool.stdout
            assert tool.stdout.read(1) == b"\n"
        with Watching(scope) as watching:
            pids = {tool.pid for tool in tools}
            watching.until(lambda events: sum(e["kind"] == "connect" for e in events) >= TIMES)
            for tool in tools:
                assert tool.stdin
                tool.stdin.close()
                assert tool.wait(SOON_S) == 0
            events = watching.until(
                lambda events: sum(e["kind"] == "session_end" for e in events) >= TIMES
            )
    for kind in ("session_start", "exec", "connect"):
        told = [event for event in events if event["kind"] == kind]
        assert sorted(event["process"]["pid"] for event in told) == sorted(pids)
        assert all(event["late"] for event in told), kind
        assert {event["tool"] for event in told} == {"claude-code"}
    connects = [event["destination"] for event in events if event["kind"] == "connect"]
    assert {(to["ip"], to["port"]) for to in connects} == {(host, network.tcp_port)}
