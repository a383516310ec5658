# SPDX-License-Identifier: Apache-2.0
"""Content markers: which tool a file is, by what it holds and not by what it is called.

A file is a tool's if it holds all of that tool's ``contents``. Bytes come in
windows, so that a file of any size costs one window of memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor.core.tools import Tool


WIDE = "wide:"
"""Begins a text that the program holds in UTF-16, as V8 keeps some scripts."""


class Markers:
    """Looks for the markers of some tools."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._of = {
            tool: frozenset(as_held(text) for text in tool.contents)
            for tool in tools
            if tool.contents
        }
        every = frozenset[bytes]().union(*self._of.values())
        self._every = every
        self._overlap = max(map(len, every), default=1) - 1

    def search(self, windows: Iterable[bytes]) -> Tool | None:
        """Return whose file this is, as soon as it is known; what is read follows no further."""
        wanted, found, end = set(self._every), set[bytes](), b""
        for window in windows:
            part = end + window
            fresh = {marker for marker in wanted if marker in part}
            end = part[-self._overlap :] if self._overlap else b""
            if not fresh:
                continue
            found |= fresh
            wanted -= fresh
            for tool, markers in self._of.items():
                if markers <= found:
                    return tool
        return None


def as_held(text: str) -> bytes:
    """Give a text as it stands in a program."""
    if text.startswith(WIDE):
        return text.removeprefix(WIDE).encode("utf-16-le")
    return text.encode("ascii")
