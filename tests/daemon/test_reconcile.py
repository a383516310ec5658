# SPDX-License-Identifier: Apache-2.0
"""What ran before the sensor is found as it would have been told."""

from __future__ import annotations

import ipaddress
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from support.network import Network
from support.scope import Scope, cgroup2_root

from sensor.core.facts import Process
from sensor.daemon import reconcile
from sensor.edge import proc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scope import Argument

pytestmark = pytest.mark.kernel

ROOT = Process(1, 1)
GONE = Process(2**22 + 1, 1)
# A shell that starts a program and waits for it. Without its input named, one
# in the background has none, and ends.
FAMILY = "exec 3<&0; cat <&3 & echo $!; wait"


@contextmanager
def running(scope: Scope, *argv: Argument) -> Iterator[tuple[int, str]]:
    """Run a program in the scope; gives its pid and the first line that it writes."""
    with scope.run(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            yield process.pid, process.stdout.readline().decode()
        finally:
            process.kill()


def connecting(network: Network, host: str) -> list[Argument]:
    """Give a command that opens a connection, says so, and keeps it."""
    script = f"exec 3<>/dev/tcp/{host}/{network.tcp_port}; echo; read"
    return network.entered("bash", "-c", script)


def nobody(_pid: int) -> None:
    """Follow nobody."""


def test_parents_come_before_their_children() -> None:
    """A child names the parent that was told before it."""
    with Scope() as scope, running(scope, "sh", "-c", FAMILY) as (parent, child):
        facts = list(reconcile.running(scope.path, top=cgroup2_root(), known=nobody))
    assert [fact.process.pid for fact in facts] == [parent, int(child)]
    assert facts[1].parent == facts[0].process
    assert facts[0].parent == Process(0, 0)
    assert all(fact.late for fact in facts)


def test_whom_the_kernel_follows_is_left_out() -> None:
    """The ring buffer tells of that one; it is still the parent of its children."""
    with Scope() as scope, running(scope, "sh", "-c", FAMILY) as (parent, child):
        known = {parent: proc.entry(parent).process}
        [fact] = reconcile.running(scope.path, top=cgroup2_root(), known=known.get)
    assert fact.process.pid == int(child)
    assert fact.parent == known[parent]


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_an_open_connection_is_found_with_its_owner(host: str, shown: str) -> None:
    """IPv4 inside of IPv6 is shown as what it is."""
    with (
        Network() as network,
        Scope() as scope,
        running(scope, *connecting(network, host)) as (pid, _),
    ):
        process = proc.entry(pid).process
        [fact] = reconcile.connections({process: ROOT})
    assert (fact.address, fact.port) == (ipaddress.ip_address(shown), network.tcp_port)
    assert (fact.process, fact.root, fact.late) == (process, ROOT, True)


def test_connections_in_several_networks_are_found() -> None:
    """Each namespace is asked, and those of processes that nobody asked for are left out."""
    with (
        Network() as here,
        Network() as there,
        Scope() as scope,
        running(scope, *connecting(here, "192.0.2.1")) as (one, _),
        running(scope, *connecting(there, "192.0.2.1")) as (two, _),
        running(scope, *connecting(there, "192.0.2.1")),
    ):
        wanted = {proc.entry(pid).process: ROOT for pid in (one, two)}
        facts = list(reconcile.connections(wanted))
    assert {(fact.process.pid, fact.port) for fact in facts} == {
        (one, here.tcp_port),
        (two, there.tcp_port),
    }
    assert len(facts) == 2


def test_who_has_ended_has_no_connections() -> None:
    """Nothing is asked for that one, and it is no error."""
    assert list(reconcile.connections({GONE: ROOT})) == []
