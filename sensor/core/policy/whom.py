# SPDX-License-Identifier: Apache-2.0
"""Whom a rule or an exception is about, as the text of a policy says it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sensor.core.entries import Shape
from sensor.core.mistakes import Mistakes
from sensor.core.policy.model import Condition
from sensor.core.words import Risk

if TYPE_CHECKING:
    from sensor.core.entries import Entry

COMPONENT_BYTES = 40
"""Of a folder's name; the kernel compares no more (probes/marks.h: MARK_BYTES)."""

CGROUP_DEPTH = 7
"""Levels below the root at which the kernel looks (probes/policy.h: CGROUP_LEVELS)."""

WHO = ("users", "groups", "cgroups", "container", "paths")
"""The keys that say it, beside tools and risk."""

_NAME = re.compile(r"[^\s/:,\x00-\x1f\x7f]{1,256}")
_USER = Shape(_NAME, "write the name of a user, or a uid")
_GROUP = Shape(_NAME, "write the name of a group, or a gid")
_FOLDER = Shape(
    re.compile(r"(/(?!\.{1,2}(/|\Z))[^/\x00-\x1f\x7f*?]+)+/?"),
    'write an absolute path without . and .. and without wildcards, like "/opt/corp/"',
)
_CGROUP = Shape(
    re.compile(rf"/|(/(?!\.{{1,2}}(/|\Z))[^/\x00-\x1f\x7f*?]+){{1,{CGROUP_DEPTH}}}/?"),
    f'write a path from the root of the cgroup2 hierarchy, like "/build.slice", {CGROUP_DEPTH} deep'
    " at most",
)
_RISK = Shape(
    re.compile("|".join(one.value for one in Risk)),
    f"write one of {', '.join(one.value for one in Risk)}",
)
_LATEST_UID = (1 << 32) - 2


def condition(entry: Entry, tools: frozenset[str] | None) -> Condition:
    """Read who is meant. BadInputError names every key that is wrong."""
    found = Mistakes()
    read = Condition(
        tools=tools,
        users=found.read((), _users, entry),
        groups=found.read((), several, entry, "groups", _GROUP),
        cgroups=tuple(
            path.rstrip("/") or "/" for path in found.read((), several, entry, "cgroups", _CGROUP)
        ),
        container=found.read(None, entry.flag, "container"),
        paths=found.read((), _paths, entry),
        risk=found.read((), several, entry, "risk", _RISK),
    )
    found.refuse()
    return read


def _users(entry: Entry) -> tuple[str, ...]:
    for user in entry.texts("users", _USER):
        if user.isdecimal() and not (user.isascii() and int(user) <= _LATEST_UID):
            raise entry.wrong("users", f"{user!a} is no uid", _USER.remedy)
    return several(entry, "users", _USER)


def _paths(entry: Entry) -> tuple[str, ...]:
    for path in entry.texts("paths", _FOLDER):
        # One of just so many would be taken for each longer one that begins with it.
        if max(len(name.encode()) for name in path.split("/")) >= COMPONENT_BYTES:
            raise entry.wrong(
                "paths",
                f"{path!a} has a folder with {COMPONENT_BYTES} bytes or more in its name",
                "write the folder above it",
            )
    return tuple(path.rstrip("/") for path in several(entry, "paths", _FOLDER))


def several(entry: Entry, key: str, shape: Shape) -> tuple[str, ...]:
    """Read a list of words; one that is there and empty would mean nobody, or everybody."""
    words = entry.texts(key, shape)
    if key in entry.table and not words:
        raise entry.wrong(key, "is empty", "write one word at least, or leave it out")
    return tuple(dict.fromkeys(words))
