# SPDX-License-Identifier: Apache-2.0
"""Entries of the kernel's maps that the sensor writes (``probes/tables.h``)."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from sensor.core.facts import Process
from sensor.wire.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensor.core.facts import Address, Connect

MEMBER = Layout("Q started_ns", "Q root_started_ns", "I root_pid", "I reserved")
FLOW = Layout(
    "Q member.started_ns", "Q member.root_started_ns", "I member.root_pid", "I member.reserved",
    "Q opened_ns", "Q established_ns", "I pid", "H port_be", "H reserved", "16s address_be",
)  # fmt: skip


def counters(values: Sequence[int]) -> bytes:
    """Give the value of ``told``: a counter for each slot of ``lost``."""
    return struct.pack(f"={len(values)}Q", *values)


def counters_of(value: bytes) -> list[int]:
    """Read the value of ``told``."""
    return list(memoryview(value).cast("Q"))


def pid_key(pid: int) -> bytes:
    """Give the key of ``members``."""
    return struct.pack("=I", pid)


def member(process: Process, root: Process) -> bytes:
    """Give the value of ``members`` for a process of the session that ``root`` began."""
    return MEMBER.pack(process.started_ns, root.started_ns, root.pid, 0)


def process_of(pid: int, value: bytes) -> Process:
    """Read whom an entry of ``members`` follows."""
    return Process(pid, MEMBER.unpack(value)[0])


def member_of(key: bytes, value: bytes) -> tuple[Process, Process]:
    """Read an entry of ``members``: the process, and the root of its session."""
    started_ns, root_started_ns, root_pid, _ = MEMBER.unpack(value)
    return Process(struct.unpack("=I", key)[0], started_ns), Process(root_pid, root_started_ns)


def address_be(address: Address) -> bytes:
    """Write an address as the probes do: 16 bytes, IPv4 mapped into IPv6."""
    if isinstance(address, IPv4Address):
        return IPv6Address(f"::ffff:{address}").packed
    return address.packed


def flow_key(cookie: int) -> bytes:
    """Give the key of ``flows``."""
    return struct.pack("=Q", cookie)


def flow(fact: Connect) -> bytes:
    """Give the value of ``flows`` for a connection that was there before the probes."""
    return FLOW.pack(
        fact.process.started_ns,
        fact.root.started_ns,
        fact.root.pid,
        0,
        fact.at_ns,
        fact.at_ns,
        fact.process.pid,
        *struct.unpack("=H", struct.pack("!H", fact.port)),
        0,
        address_be(fact.address),
    )
