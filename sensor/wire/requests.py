# SPDX-License-Identifier: Apache-2.0
"""What a reader may ask for. Whatever is not understood is refused, by its name."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from sensor.core.filter import EVERYTHING, Filter, filter_of
from sensor.core.quote import quote
from sensor.errors import FrameError
from sensor.wire.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_REQUEST_BYTES = 64 * 1024
"""Room for a filter with some thousand names; every peer may hold so much of the hub's memory."""


class Scale(Enum):
    """By what a point of the stream is named."""

    SEQ = "seq"
    BOOT = "at_ns"
    WALL = "wall_ns"


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the stream: a seq, nanoseconds since boot, or of the wall clock (Unix time)."""

    scale: Scale
    value: int

    def as_dict(self) -> dict[str, int]:
        """Return it as it goes over the wire."""
        return {self.scale.value: self.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """Events from a point on, and with ``follow`` those to come, until they end or the reader does.

    ``since`` None is now. ``until`` is the last point that is wanted, ``limit``
    the most events. Who reads too slowly is told what was skipped and gets the
    newest; with ``every``, gets everything from the store, however late.
    """

    filter: Filter = EVERYTHING
    since: Point | None = None
    until: Point | None = None
    follow: bool = True
    limit: int | None = None
    every: bool = False

    def as_dict(self) -> dict[str, object]:
        """Return it as it goes over the wire."""
        return {
            "do": "subscribe",
            "filter": self.filter.as_dict(),
            "since": self.since.as_dict() if self.since else "now",
            "until": self.until.as_dict() if self.until else None,
            "follow": self.follow,
            "limit": self.limit,
            "every": self.every,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """Events of a range of seqs, both ends included: what was skipped, say."""

    first: int
    last: int
    filter: Filter = EVERYTHING

    def as_dict(self) -> dict[str, object]:
        """Return it as it goes over the wire."""
        return {
            "do": "fetch",
            "first": self.first,
            "last": self.last,
            "filter": self.filter.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Status:
    """How the daemon is."""

    def as_dict(self) -> dict[str, object]:
        """Return it as it goes over the wire."""
        return {"do": "status"}


@dataclass(frozen=True, slots=True)
class Control:
    """What changes something, and is root's to ask for. Who carries it out knows its arguments.

    ``pid`` is of whoever asks, by the kernel's word; it does not go over the wire.
    """

    do: str
    arguments: dict[str, object] = field(default_factory=dict)
    pid: int | None = None

    def as_dict(self) -> dict[str, object]:
        """Return it as it goes over the wire."""
        return {**self.arguments, "do": self.do}


Request = Subscribe | Fetch | Status | Control


def request_of(raw: dict[str, object], *, controls: frozenset[str]) -> Request:
    """Read a request; ``controls`` are the words that change something.

    Raises BadInputError (FrameError for what is not even of the right type).
    """
    do = Fields("request", raw).need("do", str)
    if do in controls:
        return Control(do, {name: value for name, value in raw.items() if name != "do"})
    if do not in _READS:
        known = ", ".join(sorted({*_READS, *controls}))
        raise FrameError(f"request: unknown {quote(do)}: expected {known}")
    names, read = _READS[do]
    for name in raw:
        if name not in names and name != "do":
            raise FrameError(f"{do}: unknown name {quote(name)}: expected {', '.join(names)}")
    return read(Fields(do, _DEFAULTS | raw))


def _subscribe(raw: Fields) -> Subscribe:
    return Subscribe(
        filter=filter_of(raw.need("filter", dict)),
        since=_point(raw, "since"),
        until=_point(raw, "until"),
        follow=raw.need("follow", bool),
        limit=_natural(raw, "limit") if raw.maybe("limit", int) is not None else None,
        every=raw.need("every", bool),
    )


def _query(raw: Fields) -> Subscribe:
    return Subscribe(
        filter=filter_of(raw.need("filter", dict)),
        since=_point(raw, "since") or Point(Scale.SEQ, 0),
        until=_point(raw, "until"),
        follow=False,
        limit=_natural(raw, "limit") if raw.maybe("limit", int) is not None else None,
    )


def _fetch(raw: Fields) -> Fetch:
    return Fetch(
        first=_natural(raw, "first"),
        last=_natural(raw, "last"),
        filter=filter_of(raw.need("filter", dict)),
    )


def _status(_raw: Fields) -> Status:
    return Status()


def _natural(raw: Fields, name: str) -> int:
    value = raw.need(name, int)
    if value < 0:
        raise FrameError(f"{name}: expected 0 or more, got {value}")
    return value


def _point(raw: Fields, name: str) -> Point | None:
    if raw.is_one_of(name, (None, "now")):
        return None
    point = raw.need(name, dict)
    for scale in Scale:
        if [*point] == [scale.value]:
            return Point(scale, _natural(Fields(name, point), scale.value))
    known = ", ".join(scale.value for scale in Scale)
    raise FrameError(f"{name}: expected a map with one of {known} in it")


# What need not be said.
_DEFAULTS: dict[str, object] = {
    "filter": {}, "since": None, "until": None, "follow": True, "limit": None, "every": False,
}  # fmt: skip
_QUERY = ("filter", "since", "until", "limit")
_READS: dict[str, tuple[tuple[str, ...], Callable[[Fields], Request]]] = {
    "subscribe": ((*_QUERY, "follow", "every"), _subscribe),
    "query": (_QUERY, _query),
    "fetch": (("first", "last", "filter"), _fetch),
    "status": ((), _status),
}
