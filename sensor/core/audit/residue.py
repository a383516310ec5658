# SPDX-License-Identifier: Apache-2.0
"""Residue: what a tool, its installer and its user leave in a home."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from sensor.core.audit.commands import Reader
from sensor.core.audit.histories import HISTORIES, STARTS
from sensor.core.audit.leads import How, Lead
from sensor.core.audit.mentions import Sum
from sensor.core.audit.settings import NAMES as SETTINGS
from sensor.core.audit.settings import settings
from sensor.core.audit.trace import STRANGER, Trace, traced, version_of
from sensor.core.audit.words import Certainty, Shows, Source
from sensor.core.tools import Category
from sensor.core.units import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.audit.atlas import Atlas, Tools
    from sensor.core.audit.leads import Measure, Seen
    from sensor.core.tools import Tool

_NEUTRAL = frozenset({"mcp.json", ".mcp.json"})
_UNITS = (".service", ".timer", ".socket", ".path")
_PROGRAMS = ("bin", "sbin")


class Finder:
    """Finds what belongs to a home: state, installers' layouts, shells, repositories."""

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self._reader = Reader(atlas)
        self._layouts = {
            path.removesuffix("/*"): tools
            for path, tools in atlas.layout.items()
            if path.endswith("/*")
        }
        own = {path.removesuffix("/*").rpartition("/")[0]: path for path in atlas.layout}
        self._paths = dict(atlas.state)
        self._paths |= {folder: atlas.layout[path] for folder, path in own.items()
                        if folder != ".local/bin"}  # fmt: skip

    def lead(self, folder: str, name: str) -> Lead | None:
        """Say whether an entry is residue."""
        path = f"{folder}/{name}" if folder else name
        return (
            self._laid_out(path, folder, name)
            or self._shell(path, folder, name)
            or self._inside(folder, name)
            or self._elsewhere(path, folder, name)
        )

    def _laid_out(self, path: str, folder: str, name: str) -> Lead | None:
        """Find what its installer lays down, and what it writes itself."""
        if tools := self._layouts.get(folder):
            return Lead(how=How.ENTRY, tell=partial(_laid_out, tools[0], name))
        if path in self._atlas.layout and folder.endswith(_PROGRAMS):
            return Lead(how=How.LINK, tell=partial(self._linked, is_own=".local" not in folder))
        if tools := self._atlas.state.get(path):
            how = How.TEXT if name.endswith(".json") else How.TREE
            return Lead(how=how, tell=partial(self._state, tools))
        if tools := self._atlas.weak_state.get(path):
            return Lead(how=How.ENTRY, tell=partial(_ambiguous, tools))
        return None

    def _shell(self, path: str, folder: str, name: str) -> Lead | None:
        """Find what a shell reads and writes, and units that are started for a user."""
        if path in HISTORIES:
            return Lead(how=How.LINES, tell=partial(self._history, path))
        if path in STARTS:
            return Lead(how=How.LINES, tell=self._start)
        if folder.endswith(".config/systemd/user") and name.endswith(_UNITS):
            return Lead(how=How.LINES, tell=partial(commands_of_unit, self._reader))
        return None

    def _inside(self, folder: str, name: str) -> Lead | None:
        """Find settings below a state folder."""
        if name not in SETTINGS:
            return None
        parts = folder.split("/")
        for depth in range(1, len(parts) + 1):
            if tools := self._atlas.state.get("/".join(parts[:depth])):
                return Lead(how=How.TEXT, tell=partial(self._settings, tools))
        return Lead(how=How.TEXT, tell=partial(self._settings, ())) if name in _NEUTRAL else None

    def _elsewhere(self, path: str, folder: str, name: str) -> Lead | None:
        """Find links to a tool's program, and what it leaves in repositories."""
        if folder.endswith(_PROGRAMS) and name in self._atlas.names:
            return Lead(how=How.LINK, tell=partial(self._linked, is_own=False))
        below = "/".join(path.split("/")[-2:])
        tools = self._atlas.repository.get(below) or self._atlas.repository.get(name)
        if tools and "node_modules" not in folder and "site-packages" not in folder:
            return Lead(how=How.ENTRY, tell=partial(_committed, tools))
        return None

    def _linked(self, seen: Seen, *, is_own: bool) -> Iterator[Trace]:
        """Tell of a program's place: a link into a tool's folder, or its installer's own place."""
        if seen.target is None:
            if seen.is_folder:
                return
            if is_own and (tools := self._of_layout(seen.path)):
                yield traced(seen, tools[0], Source.NATIVE, Shows.INSTALLED, Certainty.LIKELY)
            elif tool := self._atlas.strong(seen.path.rpartition("/")[2]):
                hint = traced(seen, tool, Source.LINK, Shows.HINT, Certainty.WEAK)
                yield replace(hint, note=STRANGER)
            return
        parts = seen.target.split("/")
        pairs = {"/".join(pair) for pair in pairwise(parts)}
        for pair in pairs & self._atlas.pairs.keys():
            tool = self._atlas.pairs[pair]
            if seen.target_exists:  # what it leads to is found by itself
                yield traced(seen, tool, Source.LINK, Shows.HINT, Certainty.WEAK)
            else:
                yield traced(seen, tool, Source.LINK, Shows.WAS_INSTALLED, Certainty.LIKELY)
            return

    def _of_layout(self, path: str) -> Tools:
        fitting = (tools for end, tools in self._atlas.layout.items() if path.endswith(f"/{end}"))
        return next(fitting, ())

    def _state(self, tools: Tools, seen: Seen) -> Iterator[Trace]:
        """Tell of a state folder or file: what is empty was made, and maybe never used."""
        measure = seen.measure
        is_empty = measure is not None and not measure.files
        is_used = not is_empty
        owner, others = _owner(tools)
        yield Trace(
            tool=owner.id,
            source=Source.STATE,
            shows=Shows.USED if is_used else Shows.HINT,
            certainty=Certainty.LIKELY if is_used else Certainty.WEAK,
            path=seen.path,
            first_ns=measure.first_ns if measure else seen.mtime_ns,
            last_ns=measure.last_ns if measure else seen.mtime_ns,
            count=measure.files if measure else None,
            note=None if measure is None else _note(measure) if seen.target is None else _LINKED,
            shared=others,
        )
        if seen.texts:
            yield from self._settings(tools, seen)

    def _settings(self, tools: Tools, seen: Seen) -> Iterator[Trace]:
        if not seen.texts:
            return
        found = settings(seen.texts[0], self._reader, is_toml=seen.path.endswith(".toml"))
        if found.note and tools:
            owner, others = _owner(tools)
            yield Trace(
                tool=owner.id,
                source=Source.SETTINGS,
                shows=Shows.USED,
                certainty=Certainty.LIKELY,
                path=seen.path,
                last_ns=seen.mtime_ns,
                note=found.note,
                shared=others,
            )
        total = Sum()
        total.take(found.mentions, seen.mtime_ns)
        yield from total.traces(
            Source.SETTINGS, seen.path, certainty=Certainty.WEAK, shows=Shows.HINT
        )

    def _history(self, path: str, seen: Seen) -> Iterator[Trace]:
        total = Sum()
        for at_ns, line in HISTORIES[path](seen.lines):
            total.take(self._reader.mentions(line), at_ns)
        yield from total.traces(Source.HISTORY, seen.path, certainty=Certainty.LIKELY)

    def _start(self, seen: Seen) -> Iterator[Trace]:
        """Tell of start files: an alias, a path, a variable of a tool. None of it runs one."""
        found: dict[str, int] = {}
        for line in seen.lines:
            for tool in self._named(line):
                found[tool.id] = found.get(tool.id, 0) + 1
        for tool_id, lines in found.items():
            yield Trace(
                tool=tool_id,
                source=Source.SHELL_START,
                shows=Shows.HINT,
                certainty=Certainty.WEAK,
                path=seen.path,
                first_ns=seen.mtime_ns,
                count=lines,
            )

    def _named(self, line: str) -> set[Tool]:
        plain = line.strip()
        if plain.startswith("alias "):
            plain = plain.partition("=")[2].strip("'\"")
        found = {one.tool for one in self._reader.mentions(plain) if not one.weak}
        for variable, tools in self._atlas.variables.items():
            if f"{variable}=" in plain and len(variable) > len("CRUSH"):
                found.add(tools[0])
        for path, tools in self._paths.items():
            if f"/{path}" in plain:
                found.add(tools[0])
        return found


def commands_of_unit(reader: Reader, seen: Seen) -> Iterator[Trace]:
    """Tell of a systemd unit's ``Exec`` lines (systemd.service(5))."""
    total = Sum()
    for line in seen.lines:
        key, _, command = line.strip().partition("=")
        if key.startswith("Exec"):
            total.take(reader.mentions(command.lstrip("@-:+!")), seen.mtime_ns)
    yield from total.traces(Source.SYSTEMD, seen.path, certainty=Certainty.LIKELY, shows=Shows.USED)


def _owner(tools: Tools) -> tuple[Tool, tuple[str, ...]]:
    """Say to whom shared state is ascribed, a program before a library, and who else leaves it."""
    owner = min(tools, key=lambda tool: tool.category is not Category.CLI)
    return owner, tuple(tool.id for tool in tools if tool is not owner)


def _laid_out(tool: Tool, name: str, seen: Seen) -> Iterator[Trace]:
    if version := version_of(name):
        yield traced(seen, tool, Source.NATIVE, Shows.INSTALLED, Certainty.CERTAIN, version)


def _ambiguous(tools: Tools, seen: Seen) -> Iterator[Trace]:
    """Tell of state that other software leaves as well."""
    yield traced(seen, tools[0], Source.STATE, Shows.HINT, Certainty.WEAK)


def _committed(tools: Tools, seen: Seen) -> Iterator[Trace]:
    """Tell of a repository's file: whoever committed it may never have been here."""
    yield traced(seen, tools[0], Source.REPOSITORY, Shows.HINT, Certainty.WEAK)


_LINKED = "a link, not followed"


def _note(measure: Measure) -> str:
    files = count(measure.files, "file", "files") if measure.files else "empty"
    if not measure.sessions:
        return files
    return f"{files}, {count(measure.sessions, 'session log', 'session logs')}"
