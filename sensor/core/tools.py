# SPDX-License-Identifier: Apache-2.0
"""Tools, endpoints, interpreters: what the catalogue knows of each, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    SCRIPT = "script"


class Category(Enum):
    """What sort of program a tool is; a ``CLIENT`` is a company's own."""

    CLI = "cli"
    SDK = "sdk"
    IDE_AGENT = "ide-agent"
    CLIENT = "client"


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


HEARSAY = "docs:"
"""What a source begins with that nobody here has run or read."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One name that gives a tool away.

    A NAME is the base name of a file, a PATH two consecutive components
    (``a/b``: the kernel hashes pairs), a MODULE the top package of ``python -m``.
    Other software bears a ``weak`` one too: it needs a second signal. A ``shared`` one is
    that of a known stranger: the kernel alone refuses nothing by it, the manifest decides.
    """

    kind: MarkKind
    value: str
    weak: bool
    source: str
    shared: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether it is enough to refuse by, without a look."""
        return not (self.weak or self.shared)


@dataclass(frozen=True, slots=True)
class Host:
    """A host that a tool talks to; not always its vendor's own."""

    name: str
    role: Role
    source: str


@dataclass(frozen=True, slots=True)
class Sourced:
    """A fact about a tool under its key in the catalogue's text, and where it comes from."""

    key: str
    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One AI program. ``packages`` are ``npm:name``, ``pypi:name`` or ``brew:name``.

    ``state`` are paths that it leaves behind, from ``~/``, ``/`` or ``<repo>/``
    (``weak_state`` those that other software leaves as well),
    ``layout`` those at which its own installer puts it; ``environment`` are names
    of variables that it sets for its children, ``settings`` of those that it alone
    reads, ``extensions`` the ids of its editor extensions. ``unsafe`` are arguments
    and variables that switch its guards off, ``overrides`` those that send its
    requests elsewhere. A program that holds all of ``contents`` is the tool, and so is a
    script that holds all of ``scripts``.
    ``sourced`` says of all that is neither mark nor host where it comes from, ``place`` where
    the entry stands, for errors. One that is ``withdrawn`` was in the catalogue before, and
    nothing is taken for it any more.
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
    weak_state: tuple[str, ...] = ()
    layout: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    unsafe: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    sourced: tuple[Sourced, ...] = ()
    withdrawn: bool = False
    place: str = field(default="", compare=False, repr=False)

    @property
    def content(self) -> str:
        """Its ``contents`` as evidence has them."""
        return " + ".join(self.contents)

    @property
    def script(self) -> str:
        """Its ``scripts`` as evidence has them."""
        return " + ".join(self.scripts)

    @property
    def signs(self) -> tuple[Mark, ...]:
        """Its marks, and what its program or script holds as the one mark that it is together."""
        found = (
            (MarkKind.CONTENT, self.content, "found in its program"),
            (MarkKind.SCRIPT, self.script, "found in its script"),
        )
        texts = (Mark(kind, text, weak=False, source=why) for kind, text, why in found if text)
        return (*self.marks, *texts)

    @property
    def is_hearsay(self) -> bool:
        """Whether nobody here has seen any of its marks: all are from documentation."""
        return bool(self.marks) and all(one.source.startswith(HEARSAY) for one in self.marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One AI service: its hosts with all that is below them, and its own address ranges."""

    id: str
    vendor: str
    hosts: tuple[str, ...]
    ranges: tuple[IPv4Network | IPv6Network, ...]
    source: str
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A program whose argument is what really runs."""

    name: str
    kind: InterpreterKind
    place: str = field(default="", compare=False, repr=False)
