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

from sensor.core.own_facts import (
    Damaged,
    Found,
    Gap,
    Health,
    Loss,
    PolicyChanged,
    Standing,
    Undone,
)

if TYPE_CHECKING:
    from sensor.core.scripts import Inside, Script
    from sensor.core.spelling import Spelling
    from sensor.core.words import Enforcement, NameSource, Verdict

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
    CONTENT = 16
    SCRIPT = 32


LOOKED_INTO = Signal.CONTENT | Signal.SCRIPT
"""Of late facts: what the file of an image, or its script, was found to be."""


RULE_DEFAULT, RULE_QUIC, RULE_CANARY, RULE_FULL = 0xFFFF, 0xFFFE, 0xFFFD, 0xFFFC
"""In the place of a rule's index, for what is no rule of the policy's text."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """What the kernel said of an attempt, by policy of generation ``policy``.

    ``rule`` is an index in it, or one of ``RULE_*``. Without a verdict nothing
    in that policy was about the attempt.
    """

    policy: int
    rule: int
    verdict: Verdict | None
    enforcement: Enforcement


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
    ``late`` facts were read from /proc after the event. ``spelling`` finds the files
    where text does not.

    ``tool`` is the kernel's guess, as the catalogue's index; ``unsure`` says that
    others may look the same. ``tools`` are those in whose sessions the kernel has
    the process, the outermost first; None where that was not told. A ``refused``
    image never ran: the process goes on with the one that it had. An ``unsearched``
    one is a large file that no name settles, and told once for that; nobody is
    followed for it (root with pid 0) who was not before. What is ``over`` had ended
    when it was found out what it was. A ``brokered`` one was started by a program that
    starts others for whoever asks it (``core/brokers``), maybe for a session.
    ``script`` is how the kernel knows what an interpreter was given, ``unseen`` one
    is told as an ``unsearched`` image is, and ``inside`` is what was found in it.
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
    tool: int = 0
    tools: tuple[int, ...] | None = None
    unsure: bool = False
    refused: bool = False
    unsearched: bool = False
    brokered: bool = False
    over: bool = False
    script: Script | None = None
    unseen: bool = False
    inside: Inside | None = None
    ruled: Ruled | None = None
    spelling: Spelling | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """A followed process has a child; ``tools`` and ``over`` are as in ``Exec``."""

    at_ns: int
    process: Process
    parent: Process
    root: Process
    uid: int
    tools: tuple[int, ...] | None = None
    over: bool = False


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
    A process that nobody follows has a root with pid 0, and is told of for what
    policy said; ``image`` is then what /proc shows of it, where it does. ``domain``
    is the hash of the suffix by which a name was judged, 0 where none was.
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
    domain: int = 0
    comm: str | None = None
    cgroup_id: int | None = None
    image: Exec | None = None
    ruled: Ruled | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """A TCP connection was judged by the first that it says.

    ``source`` is whence ``name`` comes, None where it said none; ``cut`` names
    are longer than what is told. ``target_port`` is the port that a proxy was
    asked for, else the remote one. Nobody is known where the pid is 0. ``domain``,
    ``image`` and a root with pid 0 are as in ``Connect``.
    """

    at_ns: int
    process: Process
    root: Process
    uid: int
    cookie: int
    remote: Address
    remote_port: int
    local: Address
    local_port: int
    target_port: int
    name: str | None
    source: NameSource | None
    cut: bool = False
    domain: int = 0
    cgroup_id: int | None = None
    image: Exec | None = None
    ruled: Ruled | None = None


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
    """A followed process was given a DNS answer; ``addresses`` is empty for a refusal.

    One that is ``cut`` short may have more of them.
    """

    at_ns: int
    process: Process
    root: Process
    name: str
    addresses: tuple[Address, ...]
    rcode: int
    resolver: Address
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look at a process showed that was asked for (``actions.Look``).

    ``package`` is the one that its program came in, ``npm:NAME`` or ``pypi:NAME``, and
    ``owns`` says whether that one names the program as its own. Of what was asked
    for, ``variables`` are in its environment (values are never read on), ``state``
    are the paths that are there. ``ancestors`` are the images of those that started
    it, the nearest first. Where there was ``no_look``, nothing is known.
    """

    at_ns: int
    process: Process
    package: str | None = None
    owns: bool = False
    variables: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    ancestors: tuple[Exec, ...] = ()
    no_look: bool = False


Fact = (
    Exec | Fork | Exit | Connect | Hello | Close | Resolved | Seen
    | Loss | Damaged | Gap | PolicyChanged | Health | Found | Undone
)  # fmt: skip

__all__ = [
    "LOOKED_INTO", "RULE_CANARY", "RULE_DEFAULT", "RULE_FULL", "RULE_QUIC", "Address", "Close",
    "Connect", "Damaged", "Exec", "Exit", "Fact", "File", "Fork", "Found", "Gap", "Health",
    "Hello", "Loss", "PolicyChanged", "Process", "Resolved", "Ruled", "Seen", "Signal", "Standing",
    "Transport", "Undone",
]  # fmt: skip
