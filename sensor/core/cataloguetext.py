# SPDX-License-Identifier: Apache-2.0
"""The catalogue for people and programs: entries as plain values and as rows of a table."""

from __future__ import annotations

from sensor.core.keys import SHARED
from sensor.core.tools import Endpoint, MarkKind, Tool

HEADS = ("ID", "NAME", "VENDOR", "CATEGORY", "SEEN", "MARKS")

_KEYS = {MarkKind.NAME: "names", MarkKind.PATH: "paths", MarkKind.MODULE: "modules"}


def row(tool: Tool) -> tuple[str, ...]:
    """Give a tool as cells under ``HEADS``."""
    marks = ", ".join(f"({one.value})" if one.weak else one.value for one in tool.marks)
    seen = "docs only" if tool.is_hearsay else "yes"
    return tool.id, tool.name, tool.vendor, tool.category.value, seen, marks


def shown(one: Tool | Endpoint) -> dict[str, object]:
    """Give an entry as plain values, each of a tool's facts with its source."""
    if isinstance(one, Endpoint):
        return {
            "id": one.id,
            "vendor": one.vendor,
            "hosts": list(one.hosts),
            "ranges": [str(network) for network in one.ranges],
            "source": one.source,
            "facts": [],
        }
    return {
        "id": one.id,
        "name": one.name,
        "vendor": one.vendor,
        "category": one.category.value,
        "docs_only": one.is_hearsay,
        "facts": [
            *(_fact(SHARED if mark.shared else _KEYS[mark.kind], mark.value, mark.source,
                    weak=mark.weak)
              for mark in one.marks),
            *(_fact(host.role.value, host.name, host.source) for host in one.hosts),
            *(_fact(fact.key, fact.value, fact.source) for fact in one.sourced),
        ],
    }  # fmt: skip


def _fact(key: str, value: str, source: str, *, weak: bool = False) -> dict[str, object]:
    return {"key": key, "value": value, "weak": weak, "source": source}
