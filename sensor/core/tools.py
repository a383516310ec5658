# SPDX-License-Identifier: Apache-2.0
"""Tools, endpoints, interpreters: what the catalogue knows of each, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network


class MarkKind(Enum):
    """What a mark is compared with."""

    NAME = "name"
    PATH = "path"
    MODULE = "module"
    CONTENT = "content"


class Category(Enum):
    """What sort of program a tool is."""

    CLI = "cli"
    SDK = "sdk"
    IDE_AGENT = "ide-agent"


class Role(Enum):
    """What a tool asks a host for."""

    API = "api"
    AUTH = "auth"
    TELEMETRY = "telemetry"
    UPDATE = "update"


class InterpreterKind(Enum):
    """How an interpreter is told what to run."""

    SCRIPT = "script"
    PYTHON = "python"
    LOADER = "loader"


@dataclass(frozen=True, slots=True)
class Mark:
    """One name that gives a tool away.

    A NAME is the base name of a file, a PATH two consecutive components
    (``a/b``: the kernel hashes pairs), a MODULE the top package of ``python -m``.
    Other software bears a ``weak`` one too: it needs a second signal.
    """

    kind: MarkKind
    value: str
    weak: bool
    source: str


@dataclass(frozen=True, slots=True)
class Host:
    """A host that a tool talks to; not always its vendor's own."""

    name: str
    role: Role
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One AI program. ``packages`` are ``npm:name`` or ``pypi:name``.

    ``state`` are paths that it leaves behind, from ``~/``, ``/`` or ``<repo>/``;
    ``environment`` are names of variables that it sets for its children. A program
    that holds all of ``contents`` is the tool.
    """

    id: str
    name: str
    vendor: str
    category: Category
    marks: tuple[Mark, ...]
    packages: tuple[str, ...] = ()
    hosts: tuple[Host, ...] = ()
    state: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One AI service: its hosts with all that is below them, and its own address ranges."""

    id: str
    vendor: str
    hosts: tuple[str, ...]
    ranges: tuple[IPv4Network | IPv6Network, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A program whose argument is what really runs."""

    name: str
    kind: InterpreterKind
