# SPDX-License-Identifier: Apache-2.0
"""Every way to reach an address is told, once each time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import pytest
from support.network import ANSWER
from support.stage import TIMES, Run, Stage

if TYPE_CHECKING:
    from support.scope import Argument

pytestmark = pytest.mark.kernel

SKIPPED = 77  # tests/support/drivers/driver.h: EXIT_SKIP


@dataclass(frozen=True)
class Host:
    """An address of the test's network as a driver takes it, and as an event shows it."""

    given: str
    shown: str

    def __str__(self) -> str:
        return self.given


HOSTS = [
    Host("127.0.0.1", "127.0.0.1"),
    Host("192.0.2.1", "192.0.2.1"),
    Host("::1", "::1"),
    Host("2001:db8::1", "2001:db8::1"),
    Host("::ffff:192.0.2.1", "192.0.2.1"),
]
# Emulated kernels are asked by each way for one address, for each address by one way, and by
# what has hooks of its own for both protocols; in the long tests for all of it.
ONE_HOST, OTHER_PROTOCOL = "192.0.2.1", "2001:db8::1"
OWN_HOOKS = {"fastopen", "sendto"}
TCP = ["tcp", "nonblocking", "fastopen", "uring"]
UDP = ["udp", "sendto", "sendmsg", "sendmmsg"]


def ways(operations: list[str]) -> list[object]:
    """Pair each operation with each address."""
    return [
        pytest.param(operation, host, marks=pytest.mark.long if is_long else ())
        for operation, host in product(operations, HOSTS)
        for is_long in [
            operation != operations[0]
            and host.given != ONE_HOST
            and (host.given, operation in OWN_HOOKS) != (OTHER_PROTOCOL, True)
        ]
    ]


def play(stage: Stage, operation: str, *arguments: object) -> list[Run]:
    """Run a driver as a tool in the network."""
    argv: list[Argument] = [stage.drivers.tool(operation), *map(str, arguments)]
    runs = stage.play(*stage.network.entered(*argv))
    if any(run.status == SKIPPED for run in runs):
        pytest.skip(operation)
    return runs


def destinations(run: Run, kind: str = "connect") -> list[tuple[str, int, str]]:
    """Give address, port and transport of each event of a kind."""
    told = [event["destination"] for event in run.of(kind)]
    return [(to["ip"], to["port"], to["transport"]) for to in told]


@pytest.mark.parametrize(("operation", "host"), ways(TCP), ids=str)
def test_a_tcp_connection_is_told_once(stage: Stage, operation: str, host: Host) -> None:
    """Twenty-three runs are twenty-three connects and as many closes."""
    port = stage.network.tcp_port
    runs = play(stage, operation, host.given, port)
    assert [run.status for run in runs] == [0] * TIMES
    expected = [[(host.shown, port, "tcp")]] * TIMES
    assert [destinations(run) for run in runs] == expected
    assert [destinations(run, "close") for run in runs] == expected


@pytest.mark.parametrize(("operation", "host"), ways(UDP), ids=str)
def test_a_datagram_is_told_once(stage: Stage, operation: str, host: Host) -> None:
    """Twenty-three runs are twenty-three connects, by connect or by the first send."""
    port = stage.network.udp_port
    runs = play(stage, operation, host.given, port)
    assert [run.status for run in runs] == [0] * TIMES
    assert [destinations(run) for run in runs] == [[(host.shown, port, "udp")]] * TIMES


def test_a_worker_of_io_uring_is_told_as_its_process(stage: Stage) -> None:
    """A connect that the kernel makes on its own thread belongs to the tool."""
    port = stage.network.tcp_port
    for run in play(stage, "uring", "127.0.0.1", port, "async"):
        assert destinations(run) == [("127.0.0.1", port, "tcp")]
        assert run.of("connect")[0]["process"]["pid"] == run.pid


def test_threads_are_told_as_their_process(stage: Stage) -> None:
    """Five threads that connect are five connects of one process."""
    port = stage.network.tcp_port
    for run in play(stage, "threads", 5, "127.0.0.1", port):
        assert destinations(run) == [("127.0.0.1", port, "tcp")] * 5
        assert {event["process"]["pid"] for event in run.of("connect")} == {run.pid}


def test_a_close_tells_bytes_each_way_and_duration(stage: Stage) -> None:
    """Payload bytes are exact, and the duration lies within that of the session."""
    for run in play(stage, "talk", "127.0.0.1", stage.network.tcp_port, 10000):
        (close,) = run.of("close")
        traffic = close["traffic"]
        assert (traffic["sent_bytes"], traffic["received_bytes"]) == (10000, len(ANSWER))
        assert traffic["outcome"] == "closed"
        (start,) = run.of("session_start")
        assert 0 < traffic["duration_ns"] < close["at_ns"] - start["at_ns"]


@pytest.mark.parametrize(
    "host",
    [
        pytest.param(
            host, marks=() if host.given in {ONE_HOST, OTHER_PROTOCOL} else pytest.mark.long
        )
        for host in HOSTS
    ],
    ids=str,
)
def test_a_refused_connection_is_told_as_refused(stage: Stage, host: Host) -> None:
    """Where nobody listens there are a connect and a close that says so."""
    port = stage.network.closed_port
    for run in play(stage, "tcp", host.given, port):
        assert run.status == 1
        assert destinations(run) == destinations(run, "close") == [(host.shown, port, "tcp")]
        traffic = run.of("close")[0]["traffic"]
        assert traffic["outcome"] == "refused"
        assert (traffic["sent_bytes"], traffic["received_bytes"]) == (0, 0)
