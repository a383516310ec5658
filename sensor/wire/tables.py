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

    from sensor.core.facts import Address, Connect, File
    from sensor.core.scripts import Script

SEARCHED = 2
"""In ``asked``: user space has looked into the file (``probes/tables.h``)."""

CHAIN = 4
"""Tools of a process that the kernel has room for."""

_MEMBER = (
    "Q started_ns", "Q root_started_ns", "I root_pid", "I paths",
    *(f"H tools[{place}]" for place in range(CHAIN)),
)  # fmt: skip
MEMBER = Layout(*_MEMBER)
FLOW = Layout(
    *(member.replace(" ", " member.") for member in _MEMBER),
    "Q opened_ns", "Q established_ns", "I pid", "H port_be", "H reserved", "16s address_be",
)  # fmt: skip


IMAGE_KEY = Layout("Q dev", "Q ino", "Q ctime_ns")


def image_key(file: File) -> bytes:
    """Give the key of ``inodes`` and ``asked``."""
    return IMAGE_KEY.pack(file.dev, file.ino, file.ctime_ns)


SCRIPT_KEY = Layout("Q hash", "Q ino", "I dev", "I mntns")


def script_key(script: Script) -> bytes:
    """Give the key of ``scripts`` and ``shown``."""
    return SCRIPT_KEY.pack(script.hash, script.ino, script.dev, script.mntns)


IMAGE_STATE = Layout("Q state")


def image_state(state: int) -> bytes:
    """Give a value of ``asked``."""
    return IMAGE_STATE.pack(state)


def counters(values: Sequence[int]) -> bytes:
    """Give the value of ``told``: a counter for each slot of ``lost``."""
    return struct.pack(f"={len(values)}Q", *values)


def counters_of(value: bytes) -> list[int]:
    """Read the value of ``told``."""
    return list(memoryview(value).cast("Q"))


def pid_key(pid: int) -> bytes:
    """Give the key of ``members``."""
    return struct.pack("=I", pid)


def member(process: Process, root: Process, tools: Sequence[int] = (), *, paths: int = 0) -> bytes:
    """Give the value of ``members`` for a process of the session that ``root`` began.

    ``tools`` are those in whose sessions it is, the outermost first, at most
    ``CHAIN``; ``paths`` are the bits of folders that the innermost one's file is below.
    """
    return MEMBER.pack(process.started_ns, root.started_ns, root.pid, paths, *_padded(tools))


def process_of(pid: int, value: bytes) -> Process:
    """Read whom an entry of ``members`` follows."""
    return Process(pid, MEMBER.unpack(value)[0])


def member_of(key: bytes, value: bytes) -> tuple[Process, Process]:
    """Read an entry of ``members``: the process, and the root of its session."""
    started_ns, root_started_ns, root_pid, *_ = MEMBER.unpack(value)
    return Process(struct.unpack("=I", key)[0], started_ns), Process(root_pid, root_started_ns)


def tools_of(value: bytes) -> tuple[int, ...]:
    """Read in whose sessions an entry of ``members`` is, the outermost tool first."""
    return tuple(tool for tool in MEMBER.unpack(value)[4:] if tool)


def _padded(tools: Sequence[int]) -> list[int]:
    return [*tools, *[0] * (CHAIN - len(tools))]


def address_be(address: Address) -> bytes:
    """Write an address as the probes do: 16 bytes, IPv4 mapped into IPv6."""
    if isinstance(address, IPv4Address):
        return IPv6Address(f"::ffff:{address}").packed
    return address.packed


def flow_key(cookie: int) -> bytes:
    """Give the key of ``flows``."""
    return struct.pack("=Q", cookie)


def flow(fact: Connect, tools: Sequence[int] = (), *, paths: int = 0) -> bytes:
    """Give the value of ``flows`` for a connection that was there before the probes.

    ``tools`` and ``paths`` are those of the member whose it is.
    """
    return FLOW.pack(
        fact.process.started_ns,
        fact.root.started_ns,
        fact.root.pid,
        paths,
        *_padded(tools),
        fact.at_ns,
        fact.at_ns,
        fact.process.pid,
        *struct.unpack("=H", struct.pack("!H", fact.port)),
        0,
        address_be(fact.address),
    )
