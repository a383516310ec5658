# SPDX-License-Identifier: Apache-2.0
"""Looking: what to find out about a process that the kernel could not tell, and who waits for it.

A look takes a moment. What the kernel tells meanwhile of a process that is looked
at, and of what it starts, waits with it, so that all is seen in its order.
"""

from __future__ import annotations

import posixpath
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sensor.core.actions import Look
from sensor.core.facts import LOOKED_INTO, Close, Connect, Exec, Exit, Fork, Hello, Resolved
from sensor.core.risk import PROXIES
from sensor.core.spelling import as_spelled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor.core.facts import Fact, Process
    from sensor.core.identity import Identifier
    from sensor.core.tools import Tool

_OF_SESSIONS = (Exec, Fork, Exit, Connect, Hello, Close, Resolved)

PATIENCE_NS = 2_000_000_000
"""A look that takes longer is done without: it lies on a disk that does not answer."""

PEOPLE = 1024
"""Processes that are looked at, at a time; more are judged by what the kernel told."""

HELD = 4096
"""Facts that wait for looks, in all."""


def look(fact: Exec, identifier: Identifier) -> Look:
    """Say what is to be found out about the process of an image."""
    tools = identifier.candidates(fact)
    fact = as_spelled(fact)
    asked = identifier.invocation(fact)
    cwd = fact.cwd or ""
    # An interpreter came in a package too: what it runs is meant.
    program = asked.script or asked.program or (None if asked.module else fact.exe)
    typed = fact.name_typed or fact.exe
    return Look(
        process=fact.process,
        file=fact.file,
        uid=fact.uid,
        exe=fact.exe,
        program=posixpath.join(cwd, program) if program else None,
        module=asked.module.partition(".")[0] if asked.module else None,
        python=posixpath.join(cwd, typed) if asked.module else None,
        variables=identifier.markers | frozenset(_variables(tools)),
        state=tuple(path for tool in tools for path in tool.state if _is_plain(path)),
        broker=fact.parent if fact.brokered else None,
    )


def _variables(tools: Iterable[Tool]) -> Iterable[str]:
    yield from PROXIES
    for tool in tools:
        yield from tool.settings
        yield from (word for word in (*tool.unsafe, *tool.overrides) if not word.startswith("-"))


def _is_plain(path: str) -> bool:
    """Tell whether a path stands for one place: not of a repository, and without wildcards."""
    return not path.startswith("<") and not {"*", "<"} & set(path)


@dataclass(frozen=True, slots=True)
class _Wait:
    since_ns: int
    facts: list[Fact] = field(default_factory=list)


class Waiting:
    """The processes that are looked at, each with the facts that wait for it, the oldest first."""

    def __init__(self) -> None:
        self._waits: OrderedDict[Process, _Wait] = OrderedDict()
        self._held = 0

    def __contains__(self, process: Process) -> bool:
        return process in self._waits

    def begin(self, fact: Exec | Connect | Hello) -> bool:
        """Have a process wait, beginning with this fact; not where there is no room."""
        if len(self._waits) >= PEOPLE or self._held >= HELD or fact.process in self._waits:
            return False
        self._waits[fact.process] = _Wait(fact.at_ns, [fact])
        self._held += 1
        return True

    def hold(self, fact: Fact) -> bool:
        """Have a fact wait if it is about what such a process does or starts, or what it is."""
        if (isinstance(fact, Exec) and fact.late and fact.signals & LOOKED_INTO) or (
            isinstance(fact, Connect | Hello) and not fact.root.pid
        ):
            wait = self._waits.get(fact.process)
        elif isinstance(fact, _OF_SESSIONS) and not (isinstance(fact, Exec) and fact.late):
            wait = self._waits.get(fact.root)
        else:
            return False
        if wait is None:
            return False
        wait.facts.append(fact)
        self._held += 1
        return True

    def end(self, process: Process) -> list[Fact]:
        """Give the facts that waited, in their order; none where nobody did.

        What starts somebody whose end is among them is ``over``.
        """
        wait = self._waits.pop(process, None)
        if wait is None:
            return []
        self._held -= len(wait.facts)
        ended = {one.process for one in wait.facts if isinstance(one, Exit)}
        return [
            replace(one, over=True)
            if isinstance(one, Exec | Fork) and one.process in ended
            else one
            for one in wait.facts
        ]

    def overdue(self, at_ns: int) -> Process | None:
        """Name a process that has waited too long, or has to make room."""
        if not self._waits:
            return None
        process, wait = next(iter(self._waits.items()))
        is_late = at_ns - wait.since_ns > PATIENCE_NS
        return process if is_late or self._held >= HELD else None
