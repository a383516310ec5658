# SPDX-License-Identifier: Apache-2.0
"""Open connections as the kernel's socket diagnostics list them (pyroute2, NETLINK_SOCK_DIAG).

pyroute2 costs 20 MB of memory, so only a short-lived process imports this
file: `agent-sensor sockets`, which the sensor starts when it finds a tool that
was there before it.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyroute2 import DiagSocket, netns
from pyroute2.netlink.exceptions import NetlinkError

from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Iterator

# include/net/tcp_states.h: TCP_ESTABLISHED and TCP_SYN_SENT, as bits.
_STATES = 1 << 1 | 1 << 2
_FAMILIES = (socket.AF_INET, socket.AF_INET6)


@dataclass(frozen=True, slots=True)
class Connection:
    """One TCP connection: the socket's inode and cookie, and the peer."""

    inode: int
    cookie: int
    address: str
    port: int


def connections(pid: int) -> Iterator[Connection]:
    """List the TCP connections in the network namespace of a process.

    Moves this process there for good. Raises SensorError where the namespace
    or the kernel's answer cannot be had.
    """
    try:
        if _namespace(pid) != _namespace("self"):  # entering one's own takes a right too
            netns.setns(f"/proc/{pid}/ns/net")
        with DiagSocket() as diagnostics:
            diagnostics.bind()
            for family in _FAMILIES:
                found = diagnostics.get_sock_stats(
                    family=family, states=_STATES, protocol=socket.IPPROTO_TCP
                )
                for one in found:
                    yield Connection(
                        one["idiag_inode"],
                        one["idiag_cookie"],
                        one["idiag_dst"],
                        one["idiag_dport"],
                    )
    except (OSError, NetlinkError) as problem:
        raise SensorError(f"cannot list the connections of process {pid}: {problem}") from problem


def _namespace(pid: int | str) -> Path:
    return Path(f"/proc/{pid}/ns/net").readlink()
