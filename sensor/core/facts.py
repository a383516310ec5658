# SPDX-License-Identifier: Apache-2.0
r"""Facts: what the host told us, as values.

Every fact carries ``at_ns``, nanoseconds of CLOCK_BOOTTIME, and is ordered by
the kernel's ring buffer. Text is already text: bytes that were no UTF-8 stand
in it as ``\xNN`` escapes. A field that the source could not give is ``None``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sensor.core.inventory import Inventory

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True, order=True)
class Process:
    """One process for its whole life; a pid alone is reused."""

    pid: int
    started_ns: int


class Signal(Flag):
    """Why the kernel took a process for a candidate (``probes/events.h``)."""

    NAME = 1
    FILE = 2
    ARGUMENT = 4
    SESSION = 8


@dataclass(frozen=True, slots=True)
class File:
    """The resolved file of an image. ``dev`` is ``major << 20 | minor``."""

    dev: int
    ino: int
    ctime_ns: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exec:
    """A process runs a new image.

    ``exe`` is the resolved file, ``name_typed`` what the caller gave to
    execve(2). ``interpreter`` is set for a ``#!`` script alone, and then
    ``name_typed`` is the script. ``root`` is the first candidate among the
    ancestors as the kernel saw it (the process itself, if it is the first).
    ``truncated`` names the fields of this fact that were cut short or unread.
    ``late`` facts were read from /proc after the event.
    """

    at_ns: int
    process: Process
    parent: Process
    root: Process
    signals: Signal
    exe: str
    name_typed: str | None
    interpreter: str | None
    argv: tuple[str, ...]
    cwd: str | None
    uid: int
    loginuid: int | None
    tty: str | None
    cgroup_id: int | None
    file: File
    fileless: bool
    truncated: tuple[str, ...] = ()
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """A followed process has a child."""

    at_ns: int
    process: Process
    parent: Process
    root: Process
    uid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """The last thread of a followed process has ended.

    ``status`` is as in wait(2), None where the end was not seen.
    """

    at_ns: int
    process: Process
    root: Process
    status: int | None


class Transport(Enum):
    """Transport protocol of a destination; the value is the word in the stream."""

    TCP = "tcp"
    UDP = "udp"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """A followed process calls connect(2), or sends to a new address without it.

    ``late`` facts come from socket diagnostics: the connection was open already.
    """

    at_ns: int
    process: Process
    root: Process
    uid: int
    cookie: int
    address: Address
    port: int
    transport: Transport
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """A TCP connection of a followed process is over.

    ``established_ns`` is None if the handshake never completed; ``error`` is
    the socket's errno, 0 for none; ``sent_bytes`` counts what the peer acknowledged.
    """

    at_ns: int
    process: Process
    root: Process
    cookie: int
    address: Address
    port: int
    opened_ns: int
    established_ns: int | None
    sent_bytes: int
    received_bytes: int
    error: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A followed process was given a DNS answer; ``addresses`` is empty for a refusal."""

    at_ns: int
    process: Process
    root: Process
    name: str
    addresses: tuple[Address, ...]
    rcode: int
    resolver: Address
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """``count`` records of ``what`` never reached the ring since the last such fact."""

    at_ns: int
    what: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """A record could not be read; ``why`` says where it broke."""

    at_ns: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """From ``from_wall_ns`` to ``at_ns`` the stream may lack something; ``why`` says what.

    ``seqs`` is the first and last number that was given out and is not kept.
    """

    at_ns: int
    from_wall_ns: int
    why: str
    seqs: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An audit found a tool in somebody's environment, be it used now or not."""

    at_ns: int
    tool: str
    vendor: str | None
    inventory: Inventory


Fact = Exec | Fork | Exit | Connect | Close | Resolved | Loss | Damaged | Gap | Found

__all__ = [
    "Address", "Close", "Connect", "Damaged", "Exec", "Exit", "Fact", "File", "Fork", "Found",
    "Gap",
    "Loss", "Process", "Resolved", "Signal", "Transport",
]  # fmt: skip
