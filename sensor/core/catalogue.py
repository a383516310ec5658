# SPDX-License-Identifier: Apache-2.0
"""The catalogue: which AI tools and services there are, and what gives them away.

Its text is TOML; docs/catalogue.md describes the format. Facts stand in groups
under the source that they share, so none can be entered without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sensor.core.entries import HOST, LINE, SLUG, Document, Entry
from sensor.core.keys import MARKS, NAME, SHARED, SOURCE, TEXTS
from sensor.core.policy.targets import shallow
from sensor.core.tools import (
    Category,
    Endpoint,
    Host,
    Interpreter,
    InterpreterKind,
    Mark,
    MarkKind,
    Role,
    Sourced,
    Tool,
)
from sensor.errors import BadInputError, BadWordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sensor.core.facts import Address

VERSION = 1
"""The format that this reader knows."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that is known by name. A tool's index, from 1, is its number in the kernel's maps.

    ``replacing`` are the ids of entries that stand for themselves in a layer, rather than
    add to the ones of that id below.
    """

    version: int
    tools: tuple[Tool, ...]
    endpoints: tuple[Endpoint, ...]
    interpreters: tuple[Interpreter, ...]
    replacing: frozenset[str] = frozenset()
    _indexes: dict[str, int] = field(init=False, repr=False, compare=False)
    _endpoints: dict[str, Endpoint] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Lay out the look-ups."""
        indexes = {tool.id: index for index, tool in enumerate(self.tools, 1)}
        hosts = {host: endpoint for endpoint in self.endpoints for host in endpoint.hosts}
        object.__setattr__(self, "_indexes", indexes)
        object.__setattr__(self, "_endpoints", hosts)

    def tool(self, tool_id: str) -> Tool | None:
        """Find the tool with this id, if there is one."""
        return self.by_index(self._indexes.get(tool_id, 0))

    def index_of(self, tool_id: str) -> int:
        """Find the number that the kernel's maps carry for a tool; KeyError if there is none."""
        return self._indexes[tool_id]

    def by_index(self, index: int) -> Tool | None:
        """Find the tool behind a number of the kernel, whose 0 means none."""
        return self.tools[index - 1] if 0 < index <= len(self.tools) else None

    def endpoint_of(self, host: str) -> Endpoint | None:
        """Find the endpoint whose host this is, or is below; the longest match wins."""
        labels = host.rstrip(".").lower().split(".")
        for start in range(len(labels)):
            if endpoint := self._endpoints.get(".".join(labels[start:])):
                return endpoint
        return None

    def endpoint_at(self, address: Address) -> Endpoint | None:
        """Find the endpoint in whose own ranges an address lies."""
        for endpoint in self.endpoints:
            if any(address in network for network in endpoint.ranges):
                return endpoint
        return None


def parse(text: str, *, where: str, is_layer: bool = False) -> Catalogue:
    """Read one text of the catalogue; ``where`` names it in errors.

    What adds to another text need not have marks.

    BadInputError names the line, the entry, the key and the remedy.
    """
    document = Document(text, where=where)
    root = document.root
    root.only("version", "tool", "endpoint", "interpreter")
    root.version(VERSION)
    tools, endpoints, interpreters = (
        list(document.entries(root, header, header=header))
        for header in ("tool", "endpoint", "interpreter")
    )
    found = _checked(
        [(entry.at, _tool(document, entry, is_layer=is_layer)) for entry in tools],
        [(entry.at, _endpoint(document, entry)) for entry in endpoints],
        [(entry.at, one) for entry in interpreters for one in _interpreters(entry)],
    )
    replacing = {entry.text("id", SLUG) for entry in (*tools, *endpoints) if entry.flag("replaces")}
    return replace(found, replacing=frozenset(replacing))


def merge(catalogues: Iterable[Catalogue]) -> Catalogue:
    """Join catalogues; tools are numbered in the order given.

    BadInputError names an id, host or strong mark that two of them claim.
    """
    parts = tuple(catalogues)
    return _checked(
        [(_at(one, f"tool {one.id!a}"), one) for part in parts for one in part.tools],
        [(_at(one, f"endpoint {one.id!a}"), one) for part in parts for one in part.endpoints],
        [(_at(one, "interpreter"), one) for part in parts for one in part.interpreters],
    )


def _at(one: Tool | Endpoint | Interpreter, label: str) -> str:
    return f"{one.place or 'catalogue'}: {label}"


def _tool(document: Document, entry: Entry, *, is_layer: bool) -> Tool:
    entry.only("id", "name", "vendor", "category", "facts", "replaces")
    facts = tuple(document.entries(entry, "facts", header="tool.facts"))
    roles = [role.value for role in Role]
    for group in facts:
        group.only("source", *MARKS, *roles, *TEXTS)
    marks = tuple(mark for group in facts for mark in _marks(group))
    if not (marks or is_layer):
        raise entry.wrong("facts", "hold no mark", "write names, paths or modules")
    texts: dict[str, Any] = {
        key: tuple(one for group in facts for one in group.texts(key, shape))
        for key, shape in TEXTS.items()
    }
    return Tool(
        id=entry.text("id", SLUG),
        name=entry.text("name", LINE),
        vendor=entry.text("vendor", SLUG),
        category=entry.choice("category", Category),
        marks=marks,
        hosts=tuple(host for group in facts for host in _hosts(group)),
        **texts,
        sourced=tuple(one for group in facts for one in _sourced(group)),
        place=entry.place,
    )


def _sourced(facts: Entry) -> Iterator[Sourced]:
    source = facts.text("source", SOURCE)
    for key, shape in TEXTS.items():
        for value in facts.texts(key, shape):
            yield Sourced(key, value, source)


def _marks(facts: Entry) -> Iterator[Mark]:
    source = facts.text("source", SOURCE)
    for key, (kind, weak, shape) in MARKS.items():
        for value in facts.texts(key, shape):
            yield Mark(kind, value, weak, source, shared=key == SHARED)


def _hosts(facts: Entry) -> Iterator[Host]:
    source = facts.text("source", SOURCE)
    for role in Role:
        for name in facts.texts(role.value, HOST):
            yield Host(name, role, source)


def _endpoint(document: Document, entry: Entry) -> Endpoint:
    entry.only("id", "vendor", "facts", "replaces")
    facts = tuple(document.entries(entry, "facts", header="endpoint.facts"))
    for group in facts:
        group.only("source", "hosts", "ranges")
    hosts = tuple(host for group in facts for host in _looked_up(group))
    if not hosts:
        raise entry.wrong("facts", "hold no host", 'write hosts = ["..."]')
    return Endpoint(
        id=entry.text("id", SLUG),
        vendor=entry.text("vendor", SLUG),
        hosts=hosts,
        ranges=tuple(network for group in facts for network in group.networks("ranges")),
        source="; ".join(group.text("source", SOURCE) for group in facts),
        place=entry.place,
    )


def _looked_up(facts: Entry) -> Iterator[str]:
    for host in facts.texts("hosts", HOST):
        try:
            yield shallow(host)
        except BadWordError as problem:  # which every policy would be refused for
            raise facts.wrong("hosts", problem.why, problem.remedy) from problem


def _interpreters(entry: Entry) -> Iterator[Interpreter]:
    entry.only("kind", "names", "source")
    entry.text("source", SOURCE)
    kind = entry.choice("kind", InterpreterKind)
    for name in entry.texts("names", NAME):
        yield Interpreter(name, kind, entry.place)


@dataclass(frozen=True, slots=True)
class _Claim:
    """What an entry wants for itself; weak claims of several tools go together."""

    at: str
    key: str
    value: str
    weak: bool = False


def _checked(
    tools: list[tuple[str, Tool]],
    endpoints: list[tuple[str, Endpoint]],
    interpreters: list[tuple[str, Interpreter]],
) -> Catalogue:
    claims = [_Claim(at, "tool id", tool.id) for at, tool in tools]
    claims += [
        _Claim(at, mark.kind.value, mark.value, mark.weak)
        for at, tool in tools
        for mark in tool.marks
    ]
    claims += [_Claim(at, "endpoint id", endpoint.id) for at, endpoint in endpoints]
    claims += [_Claim(at, "host", host) for at, one in endpoints for host in one.hosts]
    claims += [_Claim(at, MarkKind.NAME.value, one.name) for at, one in interpreters]
    _refuse_conflicts(claims)
    return Catalogue(
        VERSION,
        tuple(tool for _, tool in tools),
        tuple(endpoint for _, endpoint in endpoints),
        tuple(interpreter for _, interpreter in interpreters),
    )


def _refuse_conflicts(claims: list[_Claim]) -> None:
    claimed: dict[tuple[str, str], _Claim] = {}
    for claim in claims:
        first = claimed.setdefault((claim.key, claim.value), claim)
        if first is claim or (first.weak and claim.weak and first.at != claim.at):
            continue
        raise BadInputError(
            f"{claim.at}: {claim.key}: {claim.value!a} is taken by {first.at}; "
            "remove one, or make a mark that two tools bear weak in both",
        )


__all__ = [
    "VERSION", "Catalogue", "Category", "Endpoint", "Host", "Interpreter", "InterpreterKind",
    "Mark", "MarkKind", "Role", "Tool", "merge", "parse",
]  # fmt: skip
