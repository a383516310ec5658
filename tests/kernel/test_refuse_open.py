# SPDX-License-Identifier: Apache-2.0
"""A verdict falls on sessions that have datagram sockets connected: these pass no hook any more."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support.datagrams import Listener, are_ended, go_on, pouring
from support.policing import policing
from support.stage import TIMES, end_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.drivers import Drivers
    from support.network import Network
from support.policing import Policing

# Each starts daemons or tables of its own, which takes an emulated kernel long.
pytestmark = [pytest.mark.kernel, pytest.mark.long]

NOTHING = 'mode = "enforce"\n'
ADDRESSES = f"""{NOTHING}
[[rule]]
id = "no"
endpoints = ["192.0.2.0/24", "2001:db8::/32"]
verdict = "block"
"""
TOOL = f'{NOTHING}[[rule]]\nid = "tool"\ntools = ["claude-code"]\nverdict = "block"\n'
NAMES = f'{NOTHING}[[rule]]\nid = "name"\nendpoints = ["anthropic"]\nverdict = "block"\n'
CONFINED = f"""{NOTHING}
[[rule]]
id = "inside"
tools = ["claude-code"]
verdict = "allow"
egress_only = ["127.0.0.0/8"]
"""
QUIC_PORT = 443
HOSTS = ["192.0.2.1", "2001:db8::1"]
MAPPED = "::ffff:192.0.2.1"
NEIGHBOUR = "127.0.0.1"


@pytest.fixture(scope="module")
def police(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Policing]:
    """Give a daemon that refuses nothing yet, in a scope of its own."""
    with policing(tmp_path_factory.mktemp("police")) as police:
        police.start(NOTHING)
        yield police


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("policy", [ADDRESSES, TOOL, CONFINED], ids=["no", "tool", "inside"])
def test_what_was_connected_before_sends_nothing_any_more(
    police: Policing, drivers: Drivers, network: Network, host: str, policy: str
) -> None:
    """Twenty-three sockets are ended, each by an event, and nobody hears what was sent behind."""
    police.keep(NOTHING)
    since = police.seq()
    with (
        Listener(network) as listener,
        pouring(police, drivers, network, host, listener.port) as processes,
    ):
        police.keep(policy)
        are_ended(processes)
    assert listener.heard[b"a"] >= TIMES
    assert listener.heard[b"b"] == 0
    told = police.told_of(since, "connect")
    ended = [event for event in told if event["enforcement"] == "destroy"]
    assert len(ended) == TIMES
    for event in ended:
        to = event["destination"]
        assert (to["ip"], to["port"], to["transport"]) == (host, listener.port, "udp")
        assert (event["verdict"], event["late"], event["tool"]) == ("block", True, "claude-code")
    # What each tried then, the kernel refused.
    assert sum(event["enforcement"] == "cgroup" for event in told) == TIMES


def test_what_an_exception_let_through_ends_with_it(
    police: Policing, drivers: Drivers, network: Network
) -> None:
    """The kernel refuses what is new by itself; what is open is ended right after."""
    police.keep(f"{ADDRESSES}\n{excepted(timedelta(days=1))}")
    since = police.seq()
    with (
        Listener(network) as listener,
        pouring(police, drivers, network, HOSTS[0], listener.port) as processes,
    ):
        police.keep(f"{ADDRESSES}\n{excepted(timedelta(seconds=3))}")
        are_ended(processes)
    assert listener.heard[b"b"] == 0
    ended = [one for one in police.told_of(since, "connect") if one["enforcement"] == "destroy"]
    assert len(ended) == TIMES
    assert {event["rule"] for event in ended} == {"no"}


def excepted(for_so_long: timedelta) -> str:
    """Write an exception for the user that the tests run as."""
    end = (datetime.now(UTC) + for_so_long).isoformat()
    return f'[[exception]]\nrule = "no"\nusers = ["0"]\nticket = "T-1"\nexpires = {end}\n'


def test_mapped_addresses_are_judged_send_by_send(
    police: Policing, drivers: Drivers, network: Network
) -> None:
    """The kernel hands an address on with each (net/ipv6/udp.c): the hook refuses the next one."""
    police.keep(NOTHING)
    with (
        Listener(network) as listener,
        pouring(police, drivers, network, MAPPED, listener.port) as processes,
    ):
        police.keep(ADDRESSES)
        for process in processes:
            assert end_of(process) == 1
    assert listener.heard[b"a"] >= TIMES
    assert listener.heard[b"b"] == 0


@pytest.mark.parametrize("policy", [ADDRESSES, CONFINED], ids=["no", "inside"])
def test_what_is_allowed_stays_open(
    police: Policing, drivers: Drivers, network: Network, policy: str
) -> None:
    """A neighbour that no rule refuses is reached on, while the other one is not."""
    police.keep(NOTHING)
    since = police.seq()
    with (
        Listener(network) as listener,
        pouring(police, drivers, network, NEIGHBOUR, listener.port) as fine,
        pouring(police, drivers, network, "192.0.2.1", listener.port, 1) as refused,
    ):
        police.keep(policy)
        are_ended(refused)
        go_on(fine)
    ended = [e for e in police.told_of(since, "connect") if e["enforcement"] == "destroy"]
    assert len(ended) == 1


def test_whoever_is_in_no_session_goes_on(
    police: Policing, drivers: Drivers, network: Network
) -> None:
    """A verdict falls on sessions; a stranger is judged when it connects."""
    police.keep(NOTHING)
    with (
        Listener(network) as listener,
        pouring(police, drivers, network, "192.0.2.1", listener.port, 1, by="pour") as strangers,
        pouring(police, drivers, network, "192.0.2.1", listener.port, 1) as refused,
    ):
        police.keep(ADDRESSES)
        are_ended(refused)
        go_on(strangers)


@pytest.mark.parametrize("host", HOSTS)
def test_quic_ends_where_names_are_judged(
    police: Policing, drivers: Drivers, network: Network, host: str
) -> None:
    """UDP 443 of a session, once a rule by name is in force; another port is none of its."""
    police.keep(NOTHING)
    since = police.seq()
    with (
        Listener(network, QUIC_PORT) as quic,
        Listener(network) as other,
        pouring(police, drivers, network, host, QUIC_PORT) as processes,
        pouring(police, drivers, network, host, other.port, 1) as fine,
    ):
        police.keep(NAMES)
        are_ended(processes)
        go_on(fine)
    assert quic.heard[b"b"] == 0
    ended = [e for e in police.told_of(since, "connect") if e["enforcement"] == "destroy"]
    assert {(e["rule"], e["destination"]["ip"]) for e in ended} == {("quic", host)}
    assert len(ended) == TIMES


# Connects sockets that share both their addresses, says so, and tells how each read ended.
TWINS = """
import socket, sys
twins = []
for _ in range(4):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind(("192.0.2.1", twins[0].getsockname()[1] if twins else 0))
    one.connect(("192.0.2.1", int(sys.argv[1])))
    twins.append(one)
print(flush=True)
for one in twins:
    try:
        one.recv(1)
    except OSError as problem:
        print(problem.errno, flush=True)
"""


def test_sockets_between_the_same_addresses_all_end(
    police: Policing, network: Network, tmp_path: Path
) -> None:
    """The kernel finds one of them at a time; the others are looked for again."""
    police.keep(NOTHING)
    tool = tmp_path / "claude"
    tool.write_text(f"#!{sys.executable} -I\n{TWINS}", "utf-8")
    tool.chmod(0o755)
    with Listener(network) as listener:
        argv = network.entered(tool, str(listener.port))
        with police.scope.run(argv, stdout=subprocess.PIPE) as process:
            assert process.stdout
            assert process.stdout.readline() == b"\n"
            police.keep(ADDRESSES)
            assert process.stdout.read() == b"103\n" * 4
            assert end_of(process) == 0


def test_what_a_run_before_let_through_is_ended_by_the_next(
    police: Policing, drivers: Drivers, network: Network
) -> None:
    """It has the sockets from the kernel: what it would have remembered went with the other."""
    police.keep(NOTHING)
    argv = network.entered(drivers.tool("hold"), "2001:db8::1", str(network.tcp_port))
    with (
        Listener(network) as listener,
        pouring(police, drivers, network, "192.0.2.1", listener.port, 1) as processes,
        police.scope.run(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder,
    ):
        assert holder.stdout
        assert holder.stdout.readline() == b"\n"
        since = police.seq()
        police.daemon.kill()
        police.start(ADDRESSES)
        are_ended(processes)
        closed = police.told(since, "close", 1)
        holder.kill()
    assert closed[0]["traffic"]["outcome"] == "failed"
    ended = [e for e in police.told_of(since, "connect") if e["enforcement"] == "destroy"]
    assert {(e["destination"]["transport"], e["rule"]) for e in ended} == {
        ("udp", "no"), ("tcp", "no"),
    }  # fmt: skip


def test_what_went_by_a_name_survives_a_restart(
    police: Policing, drivers: Drivers, network: Network
) -> None:
    """The next run does not know the name any more, and has no reason to end it."""
    police.keep(NOTHING)
    argv = network.entered(drivers.tool("hold"), "192.0.2.1", str(network.tcp_port))
    before = police.seq()
    with police.scope.run(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"\n"
        police.told(before, "connect", 1)  # not left for the next run to read
        since = police.seq()
        police.stored(since)
        police.daemon.kill()
        police.start(CONFINED.replace("127.0.0.0/8", "llm.example"))
        police.keep(ADDRESSES)  # an address is one all the same
        closed = police.told(since, "close", 1)
        holder.kill()
    ended = [e for e in police.told_of(since, "connect") if e["enforcement"] == "destroy"]
    assert [e["rule"] for e in ended] == ["no"]
    assert closed
