# SPDX-License-Identifier: Apache-2.0
"""Actions: what the engine wants done, as values. The daemon carries them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.facts import Transport

if TYPE_CHECKING:
    from sensor.core.event import Event
    from sensor.core.facts import Address, Exec, File, Process


@dataclass(frozen=True, slots=True)
class Record:
    """Put an event on the stream."""

    event: Event


@dataclass(frozen=True, slots=True)
class Follow:
    """Have the kernel follow a process that it did not find by itself, or knows too little of.

    ``tools`` are those in whose sessions it is, the outermost first, as the
    catalogue's indexes; ``exe`` is the file of the innermost.
    """

    process: Process
    root: Process
    tools: tuple[int, ...] = ()
    exe: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """Have the kernel forget a process: it is no AI tool and belongs to none."""

    process: Process


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroy:
    """Close a connection, so that whoever has it sees an error at once.

    ``process`` is whose it is, for its network namespace; its pid is 0 where
    nobody is known. ``local`` is None where that end was not told.
    """

    process: Process
    cookie: int
    remote: tuple[Address, int]
    local: tuple[Address, int] | None = None
    transport: Transport = Transport.TCP


@dataclass(frozen=True, slots=True)
class Kill:
    """End a process that ``rule`` refuses, if it still is the same one."""

    process: Process
    rule: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Tell the person at a terminal, if it is theirs; ``text`` is one printable line."""

    process: Process
    tty: str
    uid: int | None
    loginuid: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Have a process looked at; a ``Seen`` fact comes back, whatever there is to see.

    ``program`` is the path whose package is asked for, as the process sees it, ``module``
    what Python was told to run and ``python`` by which path. ``exe`` is ``file``. Of ``variables``
    only the names that are there come back. ``state`` are paths, ``~`` is its user's home.
    ``broker`` has started it, and is to be named even where it has ended.
    """

    process: Process
    file: File
    uid: int
    exe: str
    program: str | None
    module: str | None = None
    python: str | None = None
    variables: frozenset[str] = frozenset()
    state: tuple[str, ...] = ()
    broker: Process | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """Have the file of an image looked into, or its script.

    What comes of it is the same image, seen again.
    """

    image: Exec


Action = Record | Follow | Release | Destroy | Kill | Notify | Look | Search
