# SPDX-License-Identifier: Apache-2.0
"""Identity: which catalogued tool a new image is, and what speaks for it.

Evidence is what the kernel resolved and what an interpreter was given to run.
argv[0] and the thread's name are the process's own word and prove nothing.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from sensor.core.event import Evidence
from sensor.core.facts import Signal
from sensor.core.invocation import invocation
from sensor.core.tools import Mark, MarkKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sensor.core.catalogue import Catalogue
    from sensor.core.facts import Exec
    from sensor.core.tools import Tool

NAME_WEIGHT = 0.9
"""A name that only the tool bears; a stranger may still have picked it."""

PATH_WEIGHT = 0.95
"""The tool's package folder: nobody lays that out by chance."""

MODULE_WEIGHT = 0.9
"""A Python module that was asked for by its name."""

CONTENT_WEIGHT = 0.98
"""All texts that only the tool's own program holds, found in the file itself."""

WEAK_WEIGHT = 0.3
"""Something that other software bears too: alone not enough, two together just enough."""

THRESHOLD = 0.5
"""Less confidence than this makes no tool."""

MEMFD = "memfd:"
"""What the kernel puts before the name that a memfd was given (mm/memfd.c)."""

PATHS_REMEMBERED = 4096
"""A build runs few programs many times: so many paths are looked at once only."""

_WEIGHTS = {
    MarkKind.NAME: NAME_WEIGHT,
    MarkKind.PATH: PATH_WEIGHT,
    MarkKind.MODULE: MODULE_WEIGHT,
    MarkKind.CONTENT: CONTENT_WEIGHT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What an image was found to be.

    Without a ``tool``, ``confidence`` and ``evidence`` are of the likeliest
    one: reasons that were not enough. ``script`` is what an interpreter runs.
    """

    tool: Tool | None = None
    confidence: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    script: str | None = None


@dataclass(frozen=True, slots=True)
class _Hit:
    """A mark was found; ``tool`` is the position in the catalogue."""

    tool: int
    kind: MarkKind
    value: str
    weight: float


class Identifier:
    """Identifies images by the marks of one catalogue.

    It is asked for each child of an agent that runs a build, so the look-ups
    are laid out once and what a path says is remembered.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._tools = catalogue.tools
        self._interpreters = {one.name: one.kind for one in catalogue.interpreters}
        self._hits: dict[tuple[MarkKind, str], tuple[_Hit, ...]] = {}
        for position, tool in enumerate(catalogue.tools):
            for mark in tool.marks:
                key = (mark.kind, mark.value)
                self._hits[key] = (*self._hits.get(key, ()), _hit(position, mark))
        self._of_path = lru_cache(PATHS_REMEMBERED)(self._look_at)

    def identify(self, fact: Exec) -> Identity:
        """Return the tool that the evidence makes likeliest, if it makes one likely enough."""
        asked = invocation(fact, self._interpreters)
        hits = list(self._of_path(fact.exe))
        cwd = fact.cwd or ""
        script = posixpath.join(cwd, asked.script) if asked.script else None
        for given in (fact.name_typed, script, asked.program):
            if given:
                hits += self._of_path(posixpath.join(cwd, given))
        if asked.module:
            package = asked.module.partition(".")[0]
            hits += self._hits.get((MarkKind.MODULE, package), ())
        hits += self._inside(fact)
        return self._judged(hits, script) if hits else Identity(script=script)

    def _inside(self, fact: Exec) -> Iterator[_Hit]:
        """Yield what was found in the file when it was looked into, now or before."""
        if Signal.CONTENT in fact.signals and 0 < fact.tool <= len(self._tools):
            tool = self._tools[fact.tool - 1]
            yield _Hit(fact.tool - 1, MarkKind.CONTENT, content(tool), CONTENT_WEIGHT)

    def _judged(self, hits: list[_Hit], script: str | None) -> Identity:
        candidates = [
            _weighed(position, [hit for hit in hits if hit.tool == position])
            for position in dict.fromkeys(hit.tool for hit in hits)
        ]
        best = max(candidates, key=lambda one: (one.confidence, one.by_path))
        return Identity(
            tool=self._tools[best.tool] if best.confidence >= THRESHOLD else None,
            confidence=best.confidence,
            evidence=best.evidence,
            script=script,
        )

    def _look_at(self, path: str) -> tuple[_Hit, ...]:
        # "a/./b" and "a//b" hide a pair of components from sight, not from the kernel.
        parts = posixpath.normpath(path).split("/")
        found = list(self._hits.get((MarkKind.NAME, parts[-1].removeprefix(MEMFD)), ()))
        # From the file upwards: of a package within a package, the inner one is meant.
        for pair in reversed(list(pairwise(parts))):
            found += self._hits.get((MarkKind.PATH, "/".join(pair)), ())
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _Candidate:
    tool: int
    confidence: float
    evidence: tuple[Evidence, ...]
    by_path: bool


def content(tool: Tool) -> str:
    """Write the texts by which a tool's program is known, as evidence has them."""
    return " + ".join(tool.contents)


def inside(tool: Tool) -> tuple[Mark, ...]:
    """Give the texts of a tool's program as the one mark that they are together."""
    if not tool.contents:
        return ()
    return (Mark(MarkKind.CONTENT, content(tool), weak=False, source="found in its program"),)


def weight_of(mark: Mark) -> float:
    """Say how much a mark counts for its tool when it is found."""
    return WEAK_WEIGHT if mark.weak else _WEIGHTS[mark.kind]


def confidence_of(weights: Iterable[float]) -> float:
    """Combine reasons that are independent: each leaves so much less of the doubt."""
    doubt = 1.0
    for weight in weights:
        doubt *= 1.0 - weight
    return round(1.0 - doubt, 4)


def _hit(position: int, mark: Mark) -> _Hit:
    return _Hit(position, mark.kind, mark.value, weight_of(mark))


def _weighed(tool: int, hits: Iterable[_Hit]) -> _Candidate:
    """Combine what speaks for one tool; of each kind of signal the strongest counts, once."""
    strongest: dict[MarkKind, _Hit] = {}
    for hit in hits:
        if hit.kind not in strongest or hit.weight > strongest[hit.kind].weight:
            strongest[hit.kind] = hit
    return _Candidate(
        tool=tool,
        confidence=confidence_of(hit.weight for hit in strongest.values()),
        evidence=tuple(Evidence(one.kind.value, one.value) for one in strongest.values()),
        by_path=MarkKind.PATH in strongest,
    )
