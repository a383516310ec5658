# SPDX-License-Identifier: Apache-2.0
"""The atlas: the catalogue laid out by what an audit comes across: packages, paths, names."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from sensor.core.tools import MarkKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor.core.catalogue import Catalogue
    from sensor.core.tools import Tool

    Tools: TypeAlias = tuple[Tool, ...]

HOME = "~/"
REPOSITORY = "<repo>/"
_SEPARATORS = re.compile(r"[-_.]+")
_UID = "<uid>"


class Atlas:
    """Look-ups for one catalogue; ``only`` leaves the tools with these ids, none means all."""

    def __init__(self, catalogue: Catalogue, *, only: frozenset[str] = frozenset()) -> None:
        self.tools = tuple(tool for tool in catalogue.tools if not only or tool.id in only)
        self.packages: dict[str, dict[str, Tool]] = defaultdict(dict)
        for tool in self.tools:
            for package in tool.packages:
                manager, _, name = package.partition(":")
                self.packages[manager][name] = tool
        self.names = _marked(self.tools, MarkKind.NAME)
        self.modules = _marked(self.tools, MarkKind.MODULE)
        self.pairs = {
            mark.value: tool
            for tool in self.tools
            for mark in tool.marks
            if mark.kind is MarkKind.PATH and not mark.weak
        }
        self.extensions = _by(self.tools, lambda tool: tool.extensions)
        self.variables = _by(self.tools, lambda tool: tool.environment)
        self.state = _below(self.tools, HOME, lambda tool: tool.state)
        self.weak_state = _below(self.tools, HOME, lambda tool: tool.weak_state)
        self.repository = _below(self.tools, REPOSITORY, lambda tool: tool.state)
        self.layout = _below(self.tools, HOME, lambda tool: tool.layout)
        self.system = [
            (_pattern(path), tool)
            for tool in self.tools
            for path in tool.state
            if path.startswith("/")
        ]

    def npm(self, name: str) -> Tool | None:
        """Find whose package on npm this is."""
        return self.packages["npm"].get(name)

    def pypi(self, name: str | None) -> Tool | None:
        """Find whose package on PyPI this is; spelling counts as PyPI has it."""
        return self.packages["pypi"].get(normal(name)) if name else None

    def strong(self, name: str) -> Tool | None:
        """Find the tool that alone bears a program's name."""
        tool, weak = self.names.get(name, (None, False))
        return None if weak else tool


def normal(name: str) -> str:
    """Spell a Python package's name as PyPI compares it (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def _marked(tools: Tools, kind: MarkKind) -> dict[str, tuple[Tool, bool]]:
    """Lay marks out; a weak one that two tools bear says nothing at all."""
    found: dict[str, tuple[Tool, bool]] = {}
    several = set()
    for tool in tools:
        for mark in tool.marks:
            if mark.kind is not kind:
                continue
            if found.get(mark.value, (tool, False))[0] is not tool:
                several.add(mark.value)
            found[mark.value] = (tool, mark.weak)
    return {value: one for value, one in found.items() if value not in several}


def _by(tools: Tools, read: _Read) -> dict[str, Tools]:
    found: dict[str, dict[Tool, None]] = defaultdict(dict)
    for tool in tools:
        for value in read(tool):
            found[value][tool] = None
    return {value: tuple(ones) for value, ones in found.items()}


def _below(tools: Tools, top: str, read: _Read) -> dict[str, Tools]:
    return {
        value.removeprefix(top): ones
        for value, ones in _by(tools, read).items()
        if value.startswith(top)
    }


def _pattern(path: str) -> re.Pattern[str]:
    """Make ``/tmp/x-<uid>/y*`` a pattern for paths below the root."""
    parts = re.split(rf"({_UID}|\*)", path.removeprefix("/"))
    words = {_UID: r"(?P<uid>[0-9]{1,10})", "*": r"[^/]*"}
    return re.compile("".join(words.get(part, re.escape(part)) for part in parts))


if TYPE_CHECKING:
    from collections.abc import Callable

    _Read: TypeAlias = Callable[[Tool], Iterable[str]]
