# SPDX-License-Identifier: Apache-2.0
"""Layers: what an owner of a host adds to the catalogue that is shipped, or puts in its place.

An entry of a layer adds its facts to the entry of that id below; one that
``replaces`` stands in its place. A mark that is there already is as the layer has
it, so that a name can be made weak. Numbers of tools stay what they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from sensor.core.blake2 import blake2b
from sensor.core.catalogue import VERSION, Catalogue, merge
from sensor.core.keys import TEXTS
from sensor.core.tools import Category, Tool

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor.core.tools import Endpoint, Mark

DIGEST_BYTES = 6
"""Enough to tell two catalogues apart by eye."""

_Value = TypeVar("_Value")


def layered(base: Catalogue, layers: Iterable[Catalogue]) -> Catalogue:
    """Put layers over a catalogue, in their order.

    BadInputError names what two entries claim for themselves in the end.
    """
    tools = {tool.id: tool for tool in base.tools}
    endpoints = {one.id: one for one in base.endpoints}
    interpreters = {one.name: one for one in base.interpreters}
    for layer in layers:
        for tool in layer.tools:
            below = None if tool.id in layer.replacing else tools.get(tool.id)
            tools[tool.id] = _joined(below, tool) if below else tool
        for one in layer.endpoints:
            under = None if one.id in layer.replacing else endpoints.get(one.id)
            endpoints[one.id] = _united(under, one) if under else one
        interpreters |= {one.name: one for one in layer.interpreters}
    whole = (tuple(tools.values()), tuple(endpoints.values()), tuple(interpreters.values()))
    return merge([Catalogue(VERSION, *whole)])


def aligned(before: Catalogue, after: Catalogue) -> Catalogue:
    """Give a catalogue in which every tool keeps the number that it had before.

    Processes carry these numbers in the kernel. What is gone keeps its place, as a
    tool that nothing is taken for any more.
    """
    known = {tool.id for tool in before.tools}
    kept = (after.tool(tool.id) or _withdrawn(tool) for tool in before.tools)
    new = (tool for tool in after.tools if tool.id not in known)
    return replace(after, tools=(*kept, *new))


def digest(catalogue: Catalogue) -> str:
    """Give a few letters that two catalogues share if, and only if, they say the same.

    In whatever order, and whatever was known before.
    """
    tools = sorted((one for one in catalogue.tools if not one.withdrawn), key=lambda one: one.id)
    endpoints = sorted(catalogue.endpoints, key=lambda one: one.id)
    parts = (tools, endpoints, sorted(catalogue.interpreters, key=lambda one: one.name))
    return blake2b(repr(parts).encode(), digest_size=DIGEST_BYTES).hexdigest()


def _joined(below: Tool, tool: Tool) -> Tool:
    """Add what a layer says of a tool; its words for people hold."""
    marks: dict[tuple[object, str], Mark] = {
        (mark.kind, mark.value): mark for mark in (*below.marks, *tool.marks)
    }

    def both(values: Iterable[_Value], more: Iterable[_Value]) -> tuple[_Value, ...]:
        return tuple(dict.fromkeys((*values, *more)))

    texts: dict[str, Any] = {key: both(getattr(below, key), getattr(tool, key)) for key in TEXTS}
    return replace(
        tool,
        marks=tuple(marks.values()),
        hosts=both(below.hosts, tool.hosts),
        sourced=both(below.sourced, tool.sourced),
        **texts,
    )


def _united(below: Endpoint, one: Endpoint) -> Endpoint:
    return replace(
        one,
        hosts=tuple(dict.fromkeys((*below.hosts, *one.hosts))),
        ranges=tuple(dict.fromkeys((*below.ranges, *one.ranges))),
        source=f"{below.source}; {one.source}",
    )


def _withdrawn(tool: Tool) -> Tool:
    return Tool(
        id=tool.id, name=tool.name, vendor=tool.vendor, category=Category(tool.category), marks=(),
        withdrawn=True,
    )  # fmt: skip
