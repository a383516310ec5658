# SPDX-License-Identifier: Apache-2.0
"""What comes back of an order to the deputy (``wire/orders``): one msgpack map a datagram."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from sensor.wire.envelope import unpack
from sensor.wire.fields import Fields
from sensor.wire.orders import (
    TEXT_BYTES,
    U64,
    Protocol,
    bounded,
    maybe_process,
    peer_in,
    process_in,
    within,
    written,
)

if TYPE_CHECKING:
    from sensor.core.facts import Address, Process

LARGEST_BYTES = 16_384
"""Of a report, which is one datagram."""

OPEN_MOST = 128
"""Sockets that one report has."""


class Outcome(Enum):
    """What came of an order; GONE: there is nothing any more that it could be done to."""

    DONE = "done"
    GONE = "gone"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """A socket that is connected, and a process that has it open."""

    process: Process
    cookie: int
    protocol: Protocol
    remote: tuple[Address, int]


@dataclass(frozen=True, slots=True)
class Report:
    """What came of the order with this number; 0: of none, what the deputy has to say itself.

    ``detail`` says why, or how: of ``Prove`` the ways that were refused, of
    ``Destroy`` whose socket it was (``owner``). Where ``sockets`` are as many as
    a report has room for, there may be more behind the last.
    """

    number: int
    outcome: Outcome
    detail: str = ""
    owner: Process | None = None
    sockets: tuple[OpenSocket, ...] = ()


def report(one: Report) -> bytes:
    """Write a report; a reason that is too long is cut."""
    said: dict[str, object] = {
        "number": one.number,
        "outcome": one.outcome.value,
        "detail": one.detail[: TEXT_BYTES // 4],
        "owner": written(one.owner),
        "sockets": [_of_socket(socket) for socket in one.sockets],
    }
    return bounded(said, LARGEST_BYTES)


def report_of(datagram: bytes) -> Report:
    """Read a report. Raises FrameError for what is none."""
    raw = Fields("report", unpack(datagram))
    return Report(
        number=within(raw, "number", U64),
        outcome=raw.word("outcome", Outcome, raw.need("outcome", str)),
        detail=raw.need("detail", str),
        owner=maybe_process(raw, "owner"),
        sockets=raw.parts("sockets", _socket),
    )


def _socket(raw: Fields) -> OpenSocket:
    return OpenSocket(
        process_in(raw, "process"),
        within(raw, "cookie", U64),
        raw.word("protocol", Protocol, raw.need("protocol", str)),
        peer_in(raw, "remote"),
    )


def _of_socket(one: OpenSocket) -> dict[str, object]:
    return {
        "process": written(one.process),
        "cookie": one.cookie,
        "protocol": one.protocol.value,
        "remote": [str(one.remote[0]), one.remote[1]],
    }
