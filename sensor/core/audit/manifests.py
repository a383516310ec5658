# SPDX-License-Identifier: Apache-2.0
"""Manifests of packages: what each calls itself, which version, and which commands it brings.

Whoever owns a home can write anything there: what is not as it has to be is
no manifest, and nothing is raised.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.audit.atlas import normal
from sensor.core.audit.trace import version_of

if TYPE_CHECKING:
    from collections.abc import Callable

_DIST = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*?)-([0-9][^-/]*)\.(?:dist|egg)-info")
_WHEEL = re.compile(r"([A-Za-z0-9][A-Za-z0-9._]*)-([0-9][^-]*)(?:-[0-9][^-]*)?-[^-]+-[^-]+-[^-]+")
_CONDA = re.compile(r"([a-z0-9][a-z0-9._-]*)-([0-9][^-]*)-[^-]+\.json")
_EXTENSION = re.compile(
    r"([A-Za-z0-9-]+\.[A-Za-z0-9-]+)-([0-9]+\.[0-9][0-9A-Za-z.+]*)(?:-[a-z0-9-]+)?"
)
_FIELD = re.compile(r"^(Name|Version):(.*)$", re.MULTILINE)
_SCRIPT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*=")
_MEMBER = re.compile(rb"([A-Za-z0-9][A-Za-z0-9._]*)-([0-9][0-9A-Za-z.+!_]*)\.dist-info/METADATA")


@dataclass(frozen=True, slots=True)
class Package:
    """A package as it names itself; ``commands`` are the programs that it brings."""

    name: str
    version: str | None
    commands: frozenset[str] = frozenset()


def npm(text: str) -> Package | None:
    """Read a ``package.json``."""
    raw = object_of(text)
    name = raw.get("name")
    if not isinstance(name, str):
        return None
    bins = raw.get("bin")
    commands = set(bins) if isinstance(bins, dict) else set()
    if isinstance(bins, str):  # one program, of the package's own name
        commands.add(name.rpartition("/")[2])
    return Package(name, version_of(raw.get("version")), frozenset(commands))


def distribution(metadata: str, entry_points: str) -> Package | None:
    """Read the METADATA of an installed Python package, and its ``entry_points.txt``."""
    head = dict(_FIELD.findall(metadata.partition("\n\n")[0]))
    if not (name := head.get("Name", "").strip()):
        return None
    commands, is_script = set(), False
    for line in entry_points.splitlines():
        if line.startswith("["):
            is_script = line.strip() == "[console_scripts]"
        elif is_script and (found := _SCRIPT.match(line)):
            commands.add(found[1])
    return Package(normal(name), version_of(head.get("Version", "").strip()), frozenset(commands))


def dist_folder(name: str) -> Package | None:
    """Read the name of a ``dist-info`` folder."""
    return _named(_DIST, name, spell=normal)


def wheel(name: str) -> Package | None:
    """Read the name of a wheel without its suffix."""
    return _named(_WHEEL, name, spell=normal)


def conda(name: str) -> Package | None:
    """Read the name of a file in ``conda-meta``."""
    return _named(_CONDA, name, spell=normal)


def extension(name: str) -> Package | None:
    """Read the name of an editor extension's folder: publisher, name, version."""
    return _named(_EXTENSION, name, spell=str.lower)


def wheel_members(tail: bytes) -> Package | None:
    """Read whose wheel this is from the list of members at its end (a zip's central directory)."""
    found = _MEMBER.search(tail)
    return found and Package(normal(found[1].decode()), version_of(found[2].decode()))


def object_of(text: str) -> dict[str, object]:
    """Read a JSON object; what is none is empty."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}


def _named(pattern: re.Pattern[str], name: str, *, spell: Callable[[str], str]) -> Package | None:
    found = pattern.fullmatch(name)
    return found and Package(spell(found[1]), version_of(found[2]))
