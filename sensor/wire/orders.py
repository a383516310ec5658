# SPDX-License-Identifier: Apache-2.0
"""What the daemon asks of its deputy: one msgpack map a datagram. ``wire/reports`` is the way back.

The list is closed, and every value has its type and bounds: the deputy has
rights that the daemon has given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import msgpack

from sensor.core.facts import Process
from sensor.errors import FrameError
from sensor.wire.envelope import unpack
from sensor.wire.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.core.facts import Address

LARGEST_BYTES = 4096
"""Of an order, which is one datagram."""

LISTED_MOST = 128
"""Processes whose sockets one order asks for."""

TEXT_BYTES = 1024
_NAMES_MOST = 16
_U16, _U32, U64 = (1 << 16) - 1, (1 << 32) - 1, (1 << 64) - 1


class Protocol(Enum):
    """Whose sockets can be ended."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True)
class Attach:
    """Attach a pinned program, and pin what keeps it attached."""

    program: str


@dataclass(frozen=True, slots=True)
class Detach:
    """Take that pin away."""

    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroy:
    """End a socket. ``process`` is who has it, None where nobody knows; ``local`` likewise."""

    cookie: int
    protocol: Protocol
    remote: tuple[Address, int]
    local: tuple[Address, int] | None = None
    process: Process | None = None


@dataclass(frozen=True, slots=True)
class Kill:
    """End a process."""

    process: Process


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Show a line on the terminal ``tty``, which is that of a process.

    Where it has ended, anybody in the scope whose terminal it is will do.
    ``owners`` are the uids one of which the terminal has to belong to.
    """

    process: Process
    tty: str
    owners: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Prove:
    """Do in this cgroup what is to be refused there: execute ``program``, connect to an address."""

    cgroup: str
    program: str


@dataclass(frozen=True, slots=True)
class ListOpen:
    """List what these processes have connected by cookie, from behind ``after`` on."""

    processes: tuple[Process, ...]
    after: int = 0


Order = Attach | Detach | Destroy | Kill | Notify | Prove | ListOpen


_pack = msgpack.Packer(autoreset=True, unicode_errors="backslashreplace").pack


def packed(number: int, order: Order) -> bytes:
    """Write an order. Raises FrameError where it is too large to be carried out."""
    do, _, write = next(known for known in _ORDERS if known[1] is type(order))
    return bounded({"number": number, "do": do, **write(order)}, LARGEST_BYTES)


def order_of(datagram: bytes) -> tuple[int, Order]:
    """Read an order and its number. Raises FrameError for what is not one of the list."""
    raw = Fields("order", unpack(datagram))
    do = raw.need("do", str)
    if do not in _READERS:
        raise FrameError(f"order: unknown {do!a}")
    return within(raw, "number", U64), _READERS[do](raw)


def bounded(message: dict[str, object], most: int) -> bytes:
    """Pack a message. Raises FrameError where it has more bytes than are taken."""
    datagram: bytes = _pack(message)
    if len(datagram) > most:
        raise FrameError(f"an order of {len(datagram)} bytes: at most {most} are taken")
    return datagram


def within(raw: Fields, name: str, most: int) -> int:
    """Read a number from 0 to ``most``."""
    value = raw.need(name, int)
    if not 0 <= value <= most:
        raise FrameError(f"order: {name}: expected 0 to {most}, got {value}")
    return value


def _text(raw: Fields, name: str) -> str:
    value = raw.need(name, str)
    if len(value) > TEXT_BYTES or "\0" in value:
        raise FrameError(f"order: {name}: expected at most {TEXT_BYTES} characters, and no NUL")
    return value


def written(process: Process | None) -> list[int] | None:
    """Write a process, or that there is none."""
    return None if process is None else [process.pid, process.started_ns]


def maybe_process(raw: Fields, name: str) -> Process | None:
    """Read a process, or that there is none."""
    return None if raw.maybe(name, list) is None else process_in(raw, name)


def process_in(raw: Fields, name: str) -> Process:
    """Read a process."""
    match raw.items(name, int):
        case [pid, started_ns] if 0 < pid <= _U32 >> 1 and 0 <= started_ns <= U64:
            return Process(pid, started_ns)
        case _:
            raise FrameError(f"order: {name}: expected a pid and a start time")


def peer_in(raw: Fields, name: str) -> tuple[Address, int]:
    """Read an address and a port."""
    match raw.need(name, list):
        case [str(address), int(port)] if 0 <= port <= _U16:
            return raw.address(name, address), port
        case _:
            raise FrameError(f"order: {name}: expected an address and a port")


def _destroy(raw: Fields) -> Destroy:
    return Destroy(
        cookie=within(raw, "cookie", U64),
        protocol=raw.word("protocol", Protocol, raw.need("protocol", str)),
        remote=peer_in(raw, "remote"),
        local=None if raw.maybe("local", list) is None else peer_in(raw, "local"),
        process=maybe_process(raw, "process"),
    )


def _notify(raw: Fields) -> Notify:
    owners = tuple(raw.items("owners", int))
    if len(owners) > _NAMES_MOST or not all(0 <= uid < _U32 for uid in owners):
        raise FrameError(f"order: owners: expected at most {_NAMES_MOST} uids")
    return Notify(
        process=process_in(raw, "process"),
        tty=_text(raw, "tty"),
        owners=owners,
        text=_text(raw, "text"),
    )


def _of_destroy(order: Destroy) -> dict[str, object]:
    return {
        "cookie": order.cookie,
        "protocol": order.protocol.value,
        "remote": [str(order.remote[0]), order.remote[1]],
        "local": [str(order.local[0]), order.local[1]] if order.local else None,
        "process": written(order.process),
    }


def _list(raw: Fields) -> ListOpen:
    rows = raw.items("processes", list)
    if len(rows) > LISTED_MOST:
        raise FrameError(f"order: processes: expected at most {LISTED_MOST}")
    processes = (process_in(Fields("order", {"processes": row}), "processes") for row in rows)
    return ListOpen(tuple(processes), within(raw, "after", U64))


def _of_list(order: ListOpen) -> dict[str, object]:
    return {"processes": [written(one) for one in order.processes], "after": order.after}


def _of_notify(order: Notify) -> dict[str, object]:
    return {
        "process": written(order.process),
        "tty": order.tty,
        "owners": list(order.owners),
        "text": order.text[:TEXT_BYTES],
    }


_ORDERS: tuple[tuple[str, type[Order], Callable[..., dict[str, object]]], ...] = (
    ("attach", Attach, lambda order: {"program": order.program}),
    ("detach", Detach, lambda order: {"program": order.program}),
    ("destroy", Destroy, _of_destroy),
    ("kill", Kill, lambda order: {"process": written(order.process)}),
    ("notify", Notify, _of_notify),
    ("prove", Prove, lambda order: {"cgroup": order.cgroup, "program": order.program}),
    ("list", ListOpen, _of_list),
)
_READERS: dict[str, Callable[[Fields], Order]] = {
    "attach": lambda raw: Attach(_text(raw, "program")),
    "detach": lambda raw: Detach(_text(raw, "program")),
    "destroy": _destroy,
    "kill": lambda raw: Kill(process_in(raw, "process")),
    "notify": _notify,
    "prove": lambda raw: Prove(_text(raw, "cgroup"), _text(raw, "program")),
    "list": _list,
}
