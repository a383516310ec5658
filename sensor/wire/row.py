# SPDX-License-Identifier: Apache-2.0
"""An event as a row of the store: what can be asked for in columns, all of it in ``body``."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgpack

from sensor.core.wall import NS_PER_S

if TYPE_CHECKING:
    from sensor.core.event import Event

_LARGEST = (1 << 63) - 1
"""What SQLite holds in an integer: https://sqlite.org/datatype3.html, section 2."""

_pack = msgpack.Packer(autoreset=True, unicode_errors="surrogateescape").pack

_ADDED = slice(-3, -1)

_SECONDS = len("2026-11-23T14:03:07")


class Row(NamedTuple):
    """One event. A tuple, as SQLite and msgpack take it as it is, 100,000 times a second.

    The body is last, and what was added to it over time stands before it.

    ``uid`` and ``user``, ``exe`` are the process's, ``endpoint``, ``name`` and
    ``ip`` the destination's. Text holds no lone surrogates.
    """

    seq: int
    wall_ns: int
    kind: str
    verdict: str | None
    tool: str | None
    vendor: str | None
    session: str | None
    uid: int | None
    user: str | None
    exe: str | None
    endpoint: str | None
    name: str | None
    ip: str | None
    rule: str | None
    enforcement: str | None
    body: bytes


def row_of(event: Event, body: bytes) -> Row:
    """Return the row of an event whose bytes are ``body``."""
    process, to = event.process, event.destination
    whose = process or event.inventory
    return Row(
        event.seq,
        wall_ns(event.at),
        event.kind.value,
        event.verdict.value if event.verdict else None,
        _text(event.tool),
        _text(event.vendor),
        _text(event.session),
        whose.uid if whose else None,
        _text(whose.user) if whose else None,
        _text(process.exe) if process else None,
        _text(to.endpoint) if to else None,
        _text(to.name) if to else None,
        str(to.ip) if to and to.ip else None,
        _text(event.rule),
        event.enforcement.value if event.enforcement else None,
        body,
    )


def record(row: tuple[object, ...]) -> bytes:
    """Return a row as the bytes that are sealed: all of it, each part with its type and length.

    What somebody made of a row may hold anything: it has a record too, another one.
    Rule and enforcement are left out where a row has neither: so the rows of
    stores from before these columns have the records that were sealed then.
    """
    if len(row) == len(Row._fields) and row[_ADDED] == (None, None):
        row = (*row[: _ADDED.start], row[-1])
    packed: bytes = _pack(row)
    return packed


def wall_ns(at: str) -> int:
    """Read what ``rfc3339`` wrote: nanoseconds since 1970, held at what a column can hold."""
    return min(_second(at[:_SECONDS]) * NS_PER_S + int(at[_SECONDS + 1 : -1]), _LARGEST)


@lru_cache(maxsize=16)  # events of one second come together
def _second(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp())


def _text(text: str | None) -> str | None:
    """Escape what is no Unicode, as the body does: a foreign file name may be like that."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()
