# SPDX-License-Identifier: Apache-2.0
"""Open connections, asked of the kernel by a process that ends afterwards."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from support.host import AGENT_SENSOR
from support.network import Network

from sensor.edge import proc

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kernel

GONE = 2**22 + 1  # more than the kernel's largest pid


def listed(pid: int) -> list[tuple[int, int, str, int]]:
    """Give inode, cookie, address and port of the connections in a process's namespace."""
    argv = [str(AGENT_SENSOR), "sockets", str(pid)]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    return [(inode, cookie, address, port) for inode, cookie, address, port in json.loads(said)]


@contextmanager
def connected(network: Network, host: str) -> Iterator[int]:
    """Keep a connection open; gives the pid that has it."""
    script = f"exec 3<>/dev/tcp/{host}/{network.tcp_port}; echo; read"
    argv = network.entered("bash", "-c", script)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            assert process.stdout.read(1) == b"\n"
            yield process.pid
        finally:
            process.kill()


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1", "::1", "2001:db8::1"])
def test_a_connection_is_listed_with_its_peer(host: str) -> None:
    """The inode is one of the process's sockets, and the cookie is not zero."""
    with Network() as network, connected(network, host) as pid:
        ours = set(proc.sockets(pid))
        found = [one for one in listed(pid) if one[0] in ours]
        [(_, cookie, address, port)] = found
    assert (address.removeprefix("::ffff:"), port) == (host, network.tcp_port)
    assert cookie


def test_other_namespaces_are_not_listed() -> None:
    """Who asks for one network sees nothing of another."""
    with Network() as here, Network() as there:
        with connected(here, "192.0.2.1"), connected(there, "192.0.2.1") as pid:
            ports = {port for _, _, address, port in listed(pid) if address == "192.0.2.1"}
        assert here.tcp_port not in ports
        assert there.tcp_port in ports


def test_listening_sockets_are_not_listed() -> None:
    """They have no peer."""
    with Network() as network:
        argv = network.entered("cat")
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(b"\n")
            process.stdin.flush()
            process.stdout.read(1)
            assert listed(process.pid) == []
            process.kill()


@pytest.mark.parametrize("pid", [GONE, 0])
def test_a_process_that_is_gone_is_an_error(pid: int) -> None:
    """The sentence names the process."""
    argv = [str(AGENT_SENSOR), "sockets", str(pid)]
    said = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert said.returncode == 1
    assert f"process {pid}" in said.stderr
    assert "Traceback" not in said.stderr


def test_asking_moves_only_the_asker() -> None:
    """The test itself stays in its namespace."""
    before = proc.network_namespace(os.getpid())
    with Network() as network, connected(network, "192.0.2.1") as pid:
        assert proc.network_namespace(pid) != before
        listed(pid)
    assert proc.network_namespace(os.getpid()) == before
