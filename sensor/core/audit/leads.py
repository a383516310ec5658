# SPDX-License-Identifier: Apache-2.0
"""Leads: what is to be looked at because of its name, how, and what it tells then.

A lead is found by names alone. Whoever walks does what ``how`` says and gives
what it saw to ``tell``, which yields traces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sensor.core.audit.trace import Trace

TEXT_BYTES = 1 << 20
"""Of a manifest or a settings file."""

LINES_BYTES = 256 << 20
"""Of a history or a log."""


class How(Enum):
    """What is to be done with an entry.

    ``ENTRY`` its kind and times alone; ``TEXT`` the beginning of ``files``, in it
    or the entry itself; ``LINES`` line by line; ``LINK`` where it points; ``TREE``
    how much is below it and from when; ``TAIL`` the end of a file, as bytes.
    """

    ENTRY = "entry"
    TEXT = "text"
    LINES = "lines"
    LINK = "link"
    TREE = "tree"
    TAIL = "tail"


@dataclass(slots=True)
class Measure:
    """How much is below a folder: regular files, session logs among them, and their times."""

    files: int = 0
    sessions: int = 0
    first_ns: int | None = None
    last_ns: int | None = None

    def add(self, mtime_ns: int, *, is_session: bool) -> None:
        """Count one file."""
        self.files += 1
        self.sessions += is_session
        self.first_ns = mtime_ns if self.first_ns is None else min(self.first_ns, mtime_ns)
        self.last_ns = mtime_ns if self.last_ns is None else max(self.last_ns, mtime_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What there was. ``target_exists`` is None for what is no link."""

    path: str
    mtime_ns: int
    is_folder: bool = False
    uid: int | None = None
    texts: tuple[str, ...] = ()
    lines: Iterable[str] = ()
    tail: bytes = b""
    target: str | None = None
    target_exists: bool | None = None
    measure: Measure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One entry worth a look."""

    how: How
    tell: Callable[[Seen], Iterator[Trace]] = field(repr=False)
    files: tuple[str, ...] = ()
