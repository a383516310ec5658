# SPDX-License-Identifier: Apache-2.0
"""What policy refuses to be reached is not, by whatever system call, and what it allows is."""

from __future__ import annotations

import time
from itertools import product
from typing import TYPE_CHECKING

import pytest
from support.patience import SOON_S
from support.scope import Scope, cgroup2_root
from support.stage import TIMES, end_of

if TYPE_CHECKING:
    from support.drivers import Drivers
    from support.network import Network
    from support.policing import Policing

# Each starts daemons or tables of its own, which takes an emulated kernel long.
pytestmark = [pytest.mark.kernel, pytest.mark.long]

SKIPPED = 77  # tests/support/drivers/driver.h: EXIT_SKIP
RULE = '[[rule]]\nid = "no"\nverdict = "block"\n'
ADDRESSES = f'{RULE}endpoints = ["192.0.2.0/24", "2001:db8::/32"]'
SESSIONS = f'{RULE}tools = ["claude-code"]\nendpoints = ["*"]'
# As a driver takes it, and as an event shows it.
HOSTS = [
    ("192.0.2.1", "192.0.2.1"),
    ("2001:db8::1", "2001:db8::1"),
    ("::ffff:192.0.2.1", "192.0.2.1"),
]
NEIGHBOUR = "127.0.0.1"
TCP = ["tcp", "nonblocking", "fastopen", "uring"]
UDP = ["udp", "sendto", "sendmsg", "sendmmsg"]
# It connects, and sends nothing.
SILENT = "udp"


def dial(
    police: Policing, drivers: Drivers, network: Network, *, by: str, operation: str, host: str
) -> tuple[list[int], int]:
    """Have a program reach for a host some times; give their statuses and the port."""
    port = network.tcp_port if operation in TCP else network.udp_port
    argv = network.entered(drivers.named(by, operation), host, str(port))
    statuses = [police.run(argv)[1] for _ in range(TIMES)]
    if SKIPPED in statuses:
        pytest.skip(operation)
    return statuses, port


def heard(network: Network, operation: str) -> int:
    """Say how much the listener has heard that an operation reaches."""
    return network.accepted if operation in TCP else network.received


def until_heard(network: Network, operation: str, count: int) -> None:
    """Wait until it has heard so much, and no more."""
    if operation == SILENT:
        return
    end = time.monotonic() + SOON_S
    while heard(network, operation) < count and time.monotonic() < end:
        time.sleep(0.01)
    assert heard(network, operation) == count


@pytest.mark.parametrize(("operation", "host"), list(product(TCP + UDP, HOSTS)))
def test_a_refused_address_is_reached_by_no_call(
    police: Policing, drivers: Drivers, network: Network, operation: str, host: tuple[str, str]
) -> None:
    """Twenty-three attempts of a stranger fail, the listener hears nothing, and all is told."""
    police.keep(f'mode = "enforce"\n{ADDRESSES}')
    since, before = police.seq(), heard(network, operation)
    given, shown = host
    statuses, port = dial(police, drivers, network, by="dialler", operation=operation, host=given)
    assert statuses == [1] * TIMES
    for event in police.told(since, "connect", TIMES):
        assert (event["verdict"], event["enforcement"], event["rule"]) == ("block", "cgroup", "no")
        assert (event["destination"]["ip"], event["destination"]["port"]) == (shown, port)
        assert (event["tool"], event["session"]) == (None, None)
    assert heard(network, operation) == before


@pytest.mark.parametrize("operation", TCP + UDP)
def test_the_neighbour_of_a_refused_address_is_reached(
    police: Policing, drivers: Drivers, network: Network, operation: str
) -> None:
    """And nothing is told of it: a stranger that nobody refuses is nobody's concern."""
    police.keep(f'mode = "enforce"\n{ADDRESSES}')
    since, before = police.seq(), heard(network, operation)
    statuses, _ = dial(police, drivers, network, by="dialler", operation=operation, host=NEIGHBOUR)
    assert statuses == [0] * TIMES
    until_heard(network, operation, before + TIMES)
    assert police.told_of(since, "connect") == []


@pytest.mark.parametrize("operation", TCP + UDP)
@pytest.mark.parametrize("says", [("shadow", "would_block"), ("observe", "alert")])
def test_what_would_be_refused_goes_through_and_is_told(
    police: Policing, drivers: Drivers, network: Network, operation: str, says: tuple[str, str]
) -> None:
    """The event has the verdict that the mode gives, and nothing was enforced."""
    mode, verdict = says
    police.keep(f'mode = "{mode}"\n{ADDRESSES}')
    since, before = police.seq(), heard(network, operation)
    statuses, _ = dial(
        police, drivers, network, by="dialler", operation=operation, host="192.0.2.1"
    )
    assert statuses == [0] * TIMES
    until_heard(network, operation, before + TIMES)
    told = police.told(since, "connect", TIMES)
    assert {(e["verdict"], e["enforcement"], e["rule"]) for e in told} == {(verdict, "none", "no")}


@pytest.mark.parametrize("operation", TCP + UDP)
def test_a_rule_about_a_tool_and_what_it_reaches_concerns_its_sessions_alone(
    police: Policing, drivers: Drivers, network: Network, operation: str
) -> None:
    """The tool is refused, and the same program under another name is not."""
    police.keep(f'mode = "enforce"\n{SESSIONS}')
    since, before = police.seq(), heard(network, operation)
    statuses, _ = dial(police, drivers, network, by="claude", operation=operation, host=NEIGHBOUR)
    assert statuses == [1] * TIMES
    told = police.told(since, "connect", TIMES)
    assert heard(network, operation) == before
    assert {(e["tool"], e["verdict"], e["enforcement"]) for e in told} == {
        ("claude-code", "block", "cgroup")
    }
    statuses, _ = dial(police, drivers, network, by="dialler", operation=operation, host=NEIGHBOUR)
    assert statuses == [0] * TIMES
    # Or the next test would take for its own what the listener counts late.
    until_heard(network, operation, before + TIMES)


def test_children_of_a_tool_are_refused_what_it_is(
    police: Policing, drivers: Drivers, network: Network
) -> None:
    """Whatever they are, at any depth: the chain of tools is inherited in the kernel."""
    police.keep(f'mode = "enforce"\n{SESSIONS}')
    child = drivers.plain("tcp")
    argv = network.entered(drivers.tool("spawn"), child, NEIGHBOUR, str(network.tcp_port))
    since = police.seq()
    assert {police.run(argv)[1] != 0 for _ in range(TIMES)} == {True}
    told = police.told(since, "connect", TIMES)
    assert {event["process"]["exe"] for event in told} == {str(child)}
    assert {event["verdict"] for event in told} == {"block"}


def test_a_cgroup_that_comes_later_counts_once_it_is_there(
    police: Policing, drivers: Drivers, network: Network
) -> None:
    """A rule that names it is put in force anew when it is made, and when it is made again."""
    path = police.scope.path / "later/inner"
    named = f"/{path.relative_to(cgroup2_root())}"
    police.keep(f'mode = "enforce"\n{ADDRESSES}\ncgroups = ["{named}"]')
    argv = network.entered(drivers.plain("udp"), "192.0.2.1", str(network.udp_port))
    assert police.run(argv)[1] == 0
    for _ in range(2):
        since = police.seq()
        path.mkdir(parents=True)
        police.told(since, "policy", 1)
        with Scope(path) as inner:
            assert end_of(inner.run(argv)) == 1
        assert police.run(argv)[1] == 0
        since = police.seq()
        path.rmdir()
        path.parent.rmdir()
        police.told(since, "policy", 1)
