# SPDX-License-Identifier: Apache-2.0
"""Identity: which catalogued tool a new image is, and what speaks for it.

Evidence is what the kernel resolved, what an interpreter was given to run, and
what a look at the process showed. argv[0] and the thread's name are the process's
own word and prove nothing.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from sensor.core.event import Evidence
from sensor.core.facts import Signal
from sensor.core.invocation import invocation
from sensor.core.risk import risks
from sensor.core.runners import runner
from sensor.core.tools import MarkKind
from sensor.core.weights import THRESHOLD, Sign, confidence_of, weigh

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sensor.core.catalogue import Catalogue
    from sensor.core.facts import Exec, Seen
    from sensor.core.invocation import Invocation
    from sensor.core.scripts import Inside
    from sensor.core.tools import Tool

MEMFD = "memfd:"
"""What the kernel puts before the name that a memfd was given (mm/memfd.c)."""

PATHS_REMEMBERED = 4096
"""A build runs few programs many times: so many paths are looked at once only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What an image was found to be.

    Without a ``tool``, ``confidence`` and ``evidence`` are of the likeliest
    one: reasons that were not enough. ``script`` is what an interpreter runs.
    ``risk`` is what makes the tool's run a dangerous one. ``lineage`` is what says who
    started it, where that is not ancestry: marks of tools in its environment, and what
    ``core/joining`` finds. ``seen`` is the look, if there was one.
    """

    tool: Tool | None = None
    confidence: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    script: str | None = None
    risk: tuple[Evidence, ...] = ()
    lineage: tuple[Evidence, ...] = ()
    seen: Seen | None = None

    @property
    def was_looked_at(self) -> bool:
        """Whether the process was looked at, beyond what the kernel told of it."""
        return self.seen is not None and not self.seen.no_look


@dataclass(frozen=True, slots=True)
class _Hit:
    """A sign was found; ``tool`` is the position in the catalogue."""

    tool: int
    sign: Sign
    value: str


class Identifier:
    """Identifies images by the marks of one catalogue.

    It is asked for each child of an agent that runs a build, so the look-ups
    are laid out once and what a path says is remembered.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._tools = catalogue.tools
        self._interpreters = {one.name: one.kind for one in catalogue.interpreters}
        self._hits: dict[tuple[MarkKind, str], tuple[_Hit, ...]] = {}
        self._packages: dict[str, tuple[_Hit, ...]] = {}
        self._scripts: dict[str, tuple[_Hit, ...]] = {}
        self._markers: dict[str, tuple[str, ...]] = {}
        for position, tool in enumerate(catalogue.tools):
            for mark in tool.marks:
                key = (mark.kind, mark.value)
                hit = _Hit(position, Sign(mark.kind.value), mark.value)
                self._hits[key] = (*self._hits.get(key, ()), hit)
            for package in tool.packages:
                hit = _Hit(position, Sign.PACKAGE, package)
                self._packages[package] = (*self._packages.get(package, ()), hit)
            if tool.scripts:
                self._scripts[tool.id] = (_Hit(position, Sign.SCRIPT, tool.script),)
            for name in tool.environment:
                self._markers[name] = (*self._markers.get(name, ()), tool.id)
        self._of_path = lru_cache(PATHS_REMEMBERED)(self._look_at)

    @property
    def markers(self) -> frozenset[str]:
        """Name the variables that tools set for what they start."""
        return frozenset(self._markers)

    def invocation(self, fact: Exec) -> Invocation:
        """Say what an image really runs."""
        return invocation(fact, self._interpreters)

    def runner(self, seen: Seen) -> Evidence | None:
        """Name what runs builds or tests and started a process, if anything of the kind did."""
        return runner(seen.ancestors, self._interpreters)

    def candidates(self, fact: Exec) -> tuple[Tool, ...]:
        """Name the tools for which anything speaks that the kernel told."""
        found, _ = self._marks(fact)
        if hidden := self._origin(fact, found):
            found.append(hidden)
        return tuple(self._tools[at] for at in dict.fromkeys(hit.tool for hit in found))

    def identify(
        self, fact: Exec, seen: Seen | None = None, *, endpoint: str | None = None
    ) -> Identity:
        """Return the tool that the evidence makes likeliest, if it makes one likely enough.

        ``seen`` is what a look showed, ``endpoint`` the AI service that it reaches.
        """
        hits, script = self._marks(fact)
        hidden = self._origin(fact, hits)
        if not hits and hidden is None and seen is None:
            return Identity(script=script)
        foreign = self._foreign(fact.inside) if fact.inside else None
        if seen and seen.package:
            hits += self._packages.get(seen.package, ())
            foreign = foreign or self._foreign(seen)
        found = self._judged(hits, script, seen, foreign, endpoint) if hits else Identity()
        if hidden and found.tool is None:
            found = self._judged([hidden], script, seen, foreign, endpoint)
        variables = seen.variables if seen else ()
        return replace(
            found,
            script=script,
            risk=risks(found.tool, fact.argv, variables) if found.tool else (),
            lineage=tuple(
                Evidence(Sign.MARKER.value, f"{tool} {name}")
                for tool, name in self.marked(variables)
            ),
            seen=seen,
        )

    def _marks(self, fact: Exec) -> tuple[list[_Hit], str | None]:
        asked = self.invocation(fact)
        hits = list(self._of_path(fact.exe))
        cwd = fact.cwd or ""
        script = posixpath.join(cwd, asked.script) if asked.script else None
        for given in (fact.name_typed, script, asked.program):
            if given:
                hits += self._of_path(posixpath.join(cwd, given))
        if asked.module:
            package = asked.module.partition(".")[0]
            hits += self._hits.get((MarkKind.MODULE, package), ())
        return [*hits, *self._inside(fact)], script

    def _inside(self, fact: Exec) -> Iterator[_Hit]:
        """Yield what was found in the file, or the script, when it was looked into."""
        if fact.inside:
            yield from self._found(fact.inside)
        if Signal.CONTENT in fact.signals and 0 < fact.tool <= len(self._tools):
            position = fact.tool - 1
            yield _Hit(position, Sign.CONTENT, self._tools[position].content)

    def _found(self, inside: Inside) -> Iterator[_Hit]:
        """Yield what was found out of a script."""
        yield from self._of_path(inside.path)
        yield from self._packages.get(inside.package or "", ())
        yield from self._hits.get((MarkKind.MODULE, inside.module or ""), ())
        yield from self._scripts.get(inside.tool or "", ())

    def within(self, inside: Inside) -> Tool | None:
        """Name the tool that a script is by what was found out of it alone."""
        hits, foreign = list(self._found(inside)), self._foreign(inside)
        return self._judged(hits, None, None, foreign, None).tool if hits else None

    def _foreign(self, found: Inside | Seen) -> Evidence | None:
        """Name the package that declares a program as its own and is no tool's."""
        if found.package and found.owns and found.package not in self._packages:
            return Evidence(Sign.FOREIGN.value, found.package)
        return None

    def _origin(self, fact: Exec, hits: Iterable[_Hit]) -> _Hit | None:
        """Give what the kernel knows a file for by where it lies, if a mount hides that.

        A tool that the path speaks for is judged by the path.
        """
        if not fact.tool or fact.unsure or Signal.FILE not in fact.signals:
            return None
        position = fact.tool - 1
        if position >= len(self._tools):  # the canary's, or a blocked session's
            return None
        if any(hit.tool == position for hit in hits):
            return None
        return _Hit(position, Sign.ORIGIN, self._tools[position].id)

    def _judged(
        self,
        hits: list[_Hit],
        script: str | None,
        seen: Seen | None,
        foreign: Evidence | None,
        endpoint: str | None,
    ) -> Identity:
        around = [Evidence(Sign.ENDPOINT.value, endpoint)] if endpoint else []
        candidates = []
        for position in dict.fromkeys(hit.tool for hit in hits):
            tool = self._tools[position]
            evidence = [
                *_strongest((hit for hit in hits if hit.tool == position), tool),
                *_circumstance(tool, seen),
                *around,
                *([foreign] if foreign else []),
            ]
            weights = (weight or 0.0 for weight in weigh(evidence, tool))
            candidates.append((confidence_of(weights), tool, tuple(evidence)))
        confidence, best, why = max(candidates, key=lambda one: (one[0], _by_path(one[2])))
        return Identity(
            tool=best if confidence >= THRESHOLD else None,
            confidence=confidence,
            evidence=why,
            script=script,
        )

    def marked(self, variables: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Give the tools that set a variable for what they start, each with its name."""
        return tuple((tool, name) for name in variables for tool in self._markers.get(name, ()))

    def _look_at(self, path: str) -> tuple[_Hit, ...]:
        # "a/./b" and "a//b" hide a pair of components from sight, not from the kernel.
        parts = posixpath.normpath(path).split("/")
        found = list(self._hits.get((MarkKind.NAME, parts[-1].removeprefix(MEMFD)), ()))
        # From the file upwards: of a package within a package, the inner one is meant.
        for pair in reversed(list(pairwise(parts))):
            found += self._hits.get((MarkKind.PATH, "/".join(pair)), ())
        return tuple(found)


def _strongest(hits: Iterable[_Hit], tool: Tool) -> Iterator[Evidence]:
    """Give what speaks for one tool; of each sign the strongest counts, once."""
    strongest: dict[Sign, tuple[float, Evidence]] = {}
    for hit in hits:
        evidence = Evidence(hit.sign.value, hit.value)
        weight = weigh((evidence,), tool)[0] or 0.0
        if hit.sign not in strongest or weight > strongest[hit.sign][0]:
            strongest[hit.sign] = (weight, evidence)
    return (evidence for _, evidence in strongest.values())


def _circumstance(tool: Tool, seen: Seen | None) -> Iterator[Evidence]:
    """Give one sign, if there is any, that its user has the tool."""
    if seen is None:
        return
    for sign, there, known in (
        (Sign.SETTING, seen.variables, tool.settings),
        (Sign.STATE, seen.state, tool.state),
    ):
        if found := next((one for one in there if one in known), None):
            yield Evidence(sign.value, found)
            return


def _by_path(evidence: tuple[Evidence, ...]) -> bool:
    return any(one.signal == Sign.PATH.value for one in evidence)
