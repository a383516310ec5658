# SPDX-License-Identifier: Apache-2.0
"""What the daemon asks of its deputy, and what comes back: one msgpack map a datagram.

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
"""Of a datagram, either way."""

_TEXT_BYTES = 1024
_NAMES_MOST = 16
_U16, _U32, _U64 = (1 << 16) - 1, (1 << 32) - 1, (1 << 64) - 1


class Protocol(Enum):
    """Whose sockets can be ended."""

    TCP = "tcp"
    UDP = "udp"


class Outcome(Enum):
    """What came of an order; GONE: there is nothing any more that it could be done to."""

    DONE = "done"
    GONE = "gone"
    REFUSED = "refused"
    FAILED = "failed"


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


Order = Attach | Detach | Destroy | Kill | Notify | Prove


@dataclass(frozen=True, slots=True)
class Report:
    """What came of the order with this number; 0: of none, what the deputy has to say itself.

    ``detail`` says why, or how: of ``Prove`` the ways that were refused, of
    ``Destroy`` whose socket it was (``owner``).
    """

    number: int
    outcome: Outcome
    detail: str = ""
    owner: Process | None = None


_pack = msgpack.Packer(autoreset=True, unicode_errors="backslashreplace").pack


def packed(number: int, order: Order) -> bytes:
    """Write an order. Raises FrameError where it is too large to be carried out."""
    do, _, write = next(known for known in _ORDERS if known[1] is type(order))
    return _bounded({"number": number, "do": do, **write(order)})


def order_of(datagram: bytes) -> tuple[int, Order]:
    """Read an order and its number. Raises FrameError for what is not one of the list."""
    raw = Fields("order", unpack(datagram))
    do = raw.need("do", str)
    if do not in _READERS:
        raise FrameError(f"order: unknown {do!a}")
    return _within(raw, "number", _U64), _READERS[do](raw)


def report(one: Report) -> bytes:
    """Write a report; a reason that is too long is cut."""
    said: dict[str, object] = {
        "number": one.number,
        "outcome": one.outcome.value,
        "detail": one.detail[: _TEXT_BYTES // 4],
        "owner": _written(one.owner),
    }
    return _bounded(said)


def report_of(datagram: bytes) -> Report:
    """Read a report. Raises FrameError for what is none."""
    raw = Fields("report", unpack(datagram))
    return Report(
        number=_within(raw, "number", _U64),
        outcome=raw.word("outcome", Outcome, raw.need("outcome", str)),
        detail=raw.need("detail", str),
        owner=_maybe_process(raw, "owner"),
    )


def _bounded(message: dict[str, object]) -> bytes:
    datagram: bytes = _pack(message)
    if len(datagram) > LARGEST_BYTES:
        raise FrameError(f"an order of {len(datagram)} bytes: at most {LARGEST_BYTES} are taken")
    return datagram


def _within(raw: Fields, name: str, most: int) -> int:
    value = raw.need(name, int)
    if not 0 <= value <= most:
        raise FrameError(f"order: {name}: expected 0 to {most}, got {value}")
    return value


def _text(raw: Fields, name: str) -> str:
    value = raw.need(name, str)
    if len(value) > _TEXT_BYTES or "\0" in value:
        raise FrameError(f"order: {name}: expected at most {_TEXT_BYTES} characters, and no NUL")
    return value


def _written(process: Process | None) -> list[int] | None:
    return None if process is None else [process.pid, process.started_ns]


def _maybe_process(raw: Fields, name: str) -> Process | None:
    return None if raw.maybe(name, list) is None else _process(raw, name)


def _process(raw: Fields, name: str) -> Process:
    match raw.items(name, int):
        case [pid, started_ns] if 0 < pid <= _U32 >> 1 and 0 <= started_ns <= _U64:
            return Process(pid, started_ns)
        case _:
            raise FrameError(f"order: {name}: expected a pid and a start time")


def _peer(raw: Fields, name: str) -> tuple[Address, int]:
    match raw.need(name, list):
        case [str(address), int(port)] if 0 <= port <= _U16:
            return raw.address(name, address), port
        case _:
            raise FrameError(f"order: {name}: expected an address and a port")


def _destroy(raw: Fields) -> Destroy:
    return Destroy(
        cookie=_within(raw, "cookie", _U64),
        protocol=raw.word("protocol", Protocol, raw.need("protocol", str)),
        remote=_peer(raw, "remote"),
        local=None if raw.maybe("local", list) is None else _peer(raw, "local"),
        process=_maybe_process(raw, "process"),
    )


def _notify(raw: Fields) -> Notify:
    owners = tuple(raw.items("owners", int))
    if len(owners) > _NAMES_MOST or not all(0 <= uid < _U32 for uid in owners):
        raise FrameError(f"order: owners: expected at most {_NAMES_MOST} uids")
    return Notify(
        process=_process(raw, "process"),
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
        "process": _written(order.process),
    }


def _of_notify(order: Notify) -> dict[str, object]:
    return {
        "process": _written(order.process),
        "tty": order.tty,
        "owners": list(order.owners),
        "text": order.text[:_TEXT_BYTES],
    }


_ORDERS: tuple[tuple[str, type[Order], Callable[..., dict[str, object]]], ...] = (
    ("attach", Attach, lambda order: {"program": order.program}),
    ("detach", Detach, lambda order: {"program": order.program}),
    ("destroy", Destroy, _of_destroy),
    ("kill", Kill, lambda order: {"process": _written(order.process)}),
    ("notify", Notify, _of_notify),
    ("prove", Prove, lambda order: {"cgroup": order.cgroup, "program": order.program}),
)
_READERS: dict[str, Callable[[Fields], Order]] = {
    "attach": lambda raw: Attach(_text(raw, "program")),
    "detach": lambda raw: Detach(_text(raw, "program")),
    "destroy": _destroy,
    "kill": lambda raw: Kill(_process(raw, "process")),
    "notify": _notify,
    "prove": lambda raw: Prove(_text(raw, "cgroup"), _text(raw, "program")),
}
