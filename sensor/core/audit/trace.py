# SPDX-License-Identifier: Apache-2.0
"""Traces: one thing that was found, and what it shows of one tool.

A trace holds names of the catalogue, a path, times, a version and counts.
Contents (prompts, keys, code, whole lines) have no field that they could get into.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.audit.words import Shows

if TYPE_CHECKING:
    from sensor.core.audit.leads import Seen
    from sensor.core.audit.words import Certainty, Source
    from sensor.core.tools import Tool

_VERSION = re.compile(r"v?[0-9][0-9A-Za-z]{0,15}([.+_~-][0-9A-Za-z]{1,24}){0,6}")


STRANGER = "another program has its name"
"""The note of a program that is called like a tool and may be none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One trace of the tool with this id; times are nanoseconds since 1970.

    ``count`` is how many files, lines or runs it stands for; ``shared`` names the
    other tools that leave the same. ``note`` is a word of ours, never of what was read.
    ``owner`` is whose it is, by name or uid, where that is not the home it lies in.
    """

    tool: str
    source: Source
    shows: Shows
    certainty: Certainty
    path: str
    first_ns: int | None = None
    last_ns: int | None = None
    version: str | None = None
    count: int | None = None
    note: str | None = None
    shared: tuple[str, ...] = ()
    owner: str | int | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """One environment: of a user, of nobody any more (``user`` None), or the system's own.

    ``path`` is None for the system. ``place`` tells a container's layer or an
    image from the host, whose own is "".
    """

    path: str | None
    user: str | None
    uid: int | None
    place: str = ""


def version_of(text: object) -> str | None:
    """Return what looks like a version, and nothing else that somebody could write there."""
    found = _VERSION.fullmatch(text) if isinstance(text, str) else None
    return found[0] if found else None


def traced(  # noqa: PLR0917  # a dozen finders call it: by name each call would take six lines
    seen: Seen, tool: Tool, source: Source, shows: Shows, certainty: Certainty,
    version: str | None = None,
) -> Trace:  # fmt: skip
    """Give the trace that something is which was seen, dated by its last change."""
    return Trace(
        tool=tool.id,
        source=source,
        shows=shows,
        certainty=certainty,
        path=seen.path,
        first_ns=seen.mtime_ns,
        last_ns=seen.mtime_ns if shows is Shows.RUN_ONCE else None,
        version=version,
    )
