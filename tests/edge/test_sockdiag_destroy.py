# SPDX-License-Identifier: Apache-2.0
"""Sockets that end from outside, in networks of the tests' own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from support.network import Network

from sensor.edge import proc
from sensor.edge.sockdiag_destroy import network_of
from sensor.errors import SensorError
from sensor.wire.diagnostics import TCP, UDP

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kernel

# Says cookie and port, then waits for bytes; says what came instead.
READER = """
import socket, sys
host, port, kind = sys.argv[1], int(sys.argv[2]), socket.SOCK_STREAM if sys.argv[3] == "6" else 2
family = socket.AF_INET6 if ":" in host else socket.AF_INET
one = socket.socket(family, kind)
one.connect((host, port))
cookie = int.from_bytes(one.getsockopt(socket.SOL_SOCKET, 57, 8), sys.byteorder)
print(cookie, one.getsockname()[1], flush=True)
try:
    print(one.recv(1), flush=True)
except OSError as problem:
    print(problem.errno, flush=True)
sys.stdin.read()
"""
HOSTS = ["127.0.0.1", "192.0.2.1", "::1", "2001:db8::1", "::ffff:192.0.2.1"]


@dataclass(frozen=True, slots=True)
class Reader:
    """A process with one connection."""

    process: subprocess.Popen[bytes]
    cookie: int
    port: int

    @property
    def network(self) -> str:
        """Where its network namespace is."""
        return f"/proc/{self.process.pid}/ns/net"

    def heard(self) -> bytes:
        """Give what its read gave back."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()


@contextmanager
def reading(network: Network, host: str, protocol: int) -> Iterator[Reader]:
    """Have a process that waits for bytes on a connection."""
    port = network.tcp_port if protocol == TCP else network.udp_port
    argv = network.entered(sys.executable, "-I", "-c", READER, host, str(port), str(protocol))
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            cookie, local = map(int, process.stdout.readline().split())
            yield Reader(process, cookie, local)
        finally:
            process.kill()


@pytest.mark.parametrize("protocol", [TCP, UDP])
@pytest.mark.parametrize("host", HOSTS)
def test_a_program_sees_the_end_of_its_socket_at_once(host: str, protocol: int) -> None:
    """ECONNABORTED, where it waited for bytes; a second time there is none."""
    with (
        Network() as network,
        reading(network, host, protocol) as reader,
        network_of(reader.network) as sockets,
    ):
        found = sockets.by_cookie(reader.cookie, protocol)
        assert found
        assert found.inode in set(proc.sockets(reader.process.pid))
        assert sockets.destroy(found, protocol)
        assert reader.heard() == b"103"
        if protocol == TCP:
            assert not sockets.destroy(found, protocol)


@pytest.mark.parametrize("host", HOSTS)
def test_a_connection_is_found_by_its_addresses(host: str) -> None:
    """With the cookie of another socket it is not that one, and stays."""
    with Network() as network, reading(network, host, TCP) as reader:
        plain = ip_address(host.removeprefix("::ffff:"))
        local, remote = (plain, reader.port), (plain, network.tcp_port)
        with network_of(reader.network) as sockets:
            assert sockets.between(local, remote, TCP, reader.cookie + 1) is None
            found = sockets.between(local, remote, TCP, reader.cookie)
            assert found
            assert found.cookie == reader.cookie
            assert sockets.destroy(found, TCP)
        assert reader.heard() == b"103"


def test_only_the_socket_that_is_meant_ends() -> None:
    """Another one to the same peer goes on, and so does one of another network."""
    with (
        Network() as network,
        Network() as other,
        reading(network, "192.0.2.1", TCP) as reader,
        reading(network, "192.0.2.1", TCP) as neighbour,
        reading(other, "192.0.2.1", TCP) as stranger,
    ):
        with network_of(stranger.network) as sockets:
            assert sockets.by_cookie(reader.cookie, TCP) is None
        with network_of(reader.network) as sockets:
            found = sockets.by_cookie(reader.cookie, TCP, remote_port=network.tcp_port)
            assert found
            assert sockets.by_cookie(reader.cookie, TCP, remote_port=1) is None
            assert sockets.destroy(found, TCP)
            assert reader.heard() == b"103"
            assert sockets.by_cookie(neighbour.cookie, TCP)


def test_the_one_who_destroys_stays_where_it_is() -> None:
    """Its thread was elsewhere for a moment."""
    before = proc.network_namespace(os.getpid())
    with (
        Network() as network,
        reading(network, "::1", TCP) as reader,
        network_of(reader.network),
    ):
        assert proc.network_namespace(os.getpid()) == before
    assert proc.network_namespace(os.getpid()) == before


def test_a_network_that_is_gone_or_none_is_an_error() -> None:
    """The sentence names it."""
    with (
        pytest.raises(SensorError, match="/proc/4194305/ns/net"),
        network_of("/proc/4194305/ns/net"),
    ):
        pass
    with (
        pytest.raises(SensorError, match="cannot enter /proc/self/ns/mnt"),
        network_of("/proc/self/ns/mnt"),
    ):
        pass


@pytest.mark.parametrize("protocol", [TCP, UDP])
@pytest.mark.parametrize("host", HOSTS)
def test_what_is_connected_is_listed_with_its_peer(host: str, protocol: int) -> None:
    """A mapped address is shown as the one that it is; who is not connected is left out."""
    with Network() as network, reading(network, host, protocol) as reader:
        port = network.tcp_port if protocol == TCP else network.udp_port
        with network_of(reader.network) as sockets:
            [found] = [one for one in sockets.connected(protocol) if one.cookie == reader.cookie]
            assert found.remote == (ip_address(host.removeprefix("::ffff:")), port)
            assert found.local == (found.remote[0], reader.port)
            listed = [one.local[1] for one in sockets.connected(protocol)]
            assert listed.count(reader.port) == 1
            if protocol == UDP:
                assert port not in listed
            ports = {port for _, port in sockets.listeners()}
            assert network.tcp_port in ports
            assert reader.port not in ports
