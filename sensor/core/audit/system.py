# SPDX-License-Identifier: Apache-2.0
"""The system's own places: package databases and their logs, cron, units, /tmp."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from sensor.core.audit import logs
from sensor.core.audit.commands import Reader
from sensor.core.audit.leads import How, Lead
from sensor.core.audit.logs import Noted
from sensor.core.audit.mentions import Sum
from sensor.core.audit.residue import commands_of_unit
from sensor.core.audit.trace import Trace
from sensor.core.audit.words import Certainty, Shows, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sensor.core.audit.atlas import Atlas
    from sensor.core.audit.leads import Seen
    from sensor.core.tools import Tool

FOLDERS = (
    "var/lib/dpkg", "var/lib/dpkg/info", "var/log", "var/log/apt", "etc", "etc/cron.d",
    "etc/systemd/system", "etc/systemd/user", "usr/lib/systemd/system", "var/spool/cron",
    "var/spool/cron/crontabs", "snap", "var/lib/flatpak/app", "tmp", "var/tmp",
)  # fmt: skip
"""Looked through themselves, and not what is below them."""

TREES = (
    "opt", "usr/local", "usr/lib/node_modules", "usr/share/nodejs", "usr/lib/python3", "srv",
    "var/lib/snapd/snap",
)  # fmt: skip
"""Looked through to the bottom."""

NAMES = frozenset({"crontab", "status"})

_UNIT_FOLDERS = frozenset({"etc/systemd/system", "etc/systemd/user", "usr/lib/systemd/system"})
_CRON_FOLDERS = frozenset({"etc/cron.d", "var/spool/cron", "var/spool/cron/crontabs"})
_ENTRIES = {
    "snap": ("snap", Source.SNAP),
    "var/lib/snapd/snap": ("snap", Source.SNAP),
    "var/lib/flatpak/app": ("flatpak", Source.FLATPAK),
}
_WHOLE = frozenset(FOLDERS) - {"etc"}
_ROTATED = re.compile(
    r"(dpkg\.log|history\.log|dnf\.rpm\.log)(\.[0-9]+)?(\.gz)?|(dnf\.rpm\.log)-[0-9]+"
)
_CRON = re.compile(r"(?:@\w+|(?:\S+\s+){4}\S+)\s+(.*)")
_LISTED = re.compile(r"/(?:usr/(?:local/)?|opt/[^/]+/)?s?bin/([^/]+)")


class Finder:
    """Finds what the system notes of packages and of what is run by itself."""

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self._reader = Reader(atlas)

    def lead(self, folder: str, name: str) -> Lead | None:
        """Say whether an entry is one of these."""
        if folder in _UNIT_FOLDERS:
            return Lead(how=How.LINES, tell=partial(commands_of_unit, self._reader))
        if folder in _CRON_FOLDERS or (folder, name) == ("etc", "crontab"):
            owner = name if folder.startswith("var") else None
            return Lead(how=How.LINES, tell=partial(self._cron, owner))
        if folder in _ENTRIES:
            return self._entry(*_ENTRIES[folder], name)
        return self._database(folder, name) or self._state(f"{folder}/{name}")

    def _database(self, folder: str, name: str) -> Lead | None:
        """Find what package managers write."""
        if (folder, name) == ("var/lib/dpkg", "status"):
            return self._noted(logs.dpkg_status, Source.DPKG, "deb")
        if folder == "var/lib/dpkg/info" and name.endswith(".list"):
            return Lead(how=How.LINES, tell=self._listed)
        if folder in {"var/log", "var/log/apt"} and _ROTATED.fullmatch(name):
            return self._rotated(name)
        return None

    def _rotated(self, name: str) -> Lead:
        if name.startswith("dpkg"):
            return self._noted(logs.dpkg_log, Source.DPKG_LOG, "deb")
        if name.startswith("history"):
            return self._noted(logs.apt_history, Source.APT_HISTORY, "deb")
        return self._noted(logs.rpm_log, Source.RPM_LOG, "rpm")

    def _noted(
        self, read: Callable[[Iterable[str]], Iterator[Noted]], source: Source, manager: str
    ) -> Lead:
        def tell(seen: Seen) -> Iterator[Trace]:
            for noted in read(seen.lines):
                if trace := self.package(noted, source, manager, seen.path):
                    yield trace

        return Lead(how=How.LINES, tell=tell)

    def rpm(self, name: str, path: str) -> Trace | None:
        """Tell of a package in rpm's database, by its name."""
        return self.package(Noted(name, Shows.INSTALLED), Source.RPM, "rpm", path)

    def package(self, noted: Noted, source: Source, manager: str, path: str) -> Trace | None:
        """Tell of a distribution's package: the catalogue's, or one that is called like a tool."""
        known = self._atlas.packages[manager].get(noted.name)
        tool = known or self._called(noted.name)
        if tool is None:
            return None
        return Trace(
            tool=tool.id,
            source=source,
            shows=noted.shows if known else Shows.HINT,
            certainty=Certainty.CERTAIN if known else Certainty.WEAK,
            path=path,
            first_ns=noted.at_ns,
            version=noted.version,
        )

    def _called(self, name: str) -> Tool | None:
        """Find a tool whose id is a package's name; of ids of one word, others bear them too."""
        same = (tool for tool in self._atlas.tools if tool.id == name and "-" in name)
        return next(same, None)

    def _listed(self, seen: Seen) -> Iterator[Trace]:
        """Tell of a package that brings a program of a tool's name, or one of its folders."""
        told: set[str] = set()
        for line in seen.lines:
            found = _LISTED.fullmatch(line)
            named = self._atlas.strong(found[1]) if found else None
            parts = line.split("/")
            tool = self._atlas.pairs.get("/".join(parts[-2:])) or named
            if tool and tool.id not in told:
                told.add(tool.id)
                yield Trace(
                    tool=tool.id,
                    source=Source.DPKG,
                    shows=Shows.HINT if tool is named else Shows.INSTALLED,
                    certainty=Certainty.WEAK if tool is named else Certainty.LIKELY,
                    path=seen.path,
                    first_ns=seen.mtime_ns,
                )

    def _cron(self, owner: str | None, seen: Seen) -> Iterator[Trace]:
        total = Sum()
        for line in seen.lines:
            if found := _CRON.fullmatch(line.strip()):
                command = found[1]
                if owner is None:  # a system table names the user first
                    command = command.partition(" ")[2]
                total.take(self._reader.mentions(command), seen.mtime_ns)
        yield from total.traces(
            Source.CRON, seen.path, certainty=Certainty.LIKELY, shows=Shows.USED, owner=owner
        )

    def _entry(self, manager: str, source: Source, name: str) -> Lead | None:
        tool = self._atlas.packages[manager].get(name)
        return Lead(how=How.ENTRY, tell=partial(_there, tool, source)) if tool else None

    def _state(self, path: str) -> Lead | None:
        for pattern, tool in self._atlas.system:
            if pattern.fullmatch(path):
                return Lead(how=How.ENTRY, tell=partial(_left, tool))
        return None


def is_whole(folder: str) -> bool:
    """Tell whether every name in a folder is worth asking for."""
    return folder in _WHOLE


def _there(tool: Tool, source: Source, seen: Seen) -> Iterator[Trace]:
    yield Trace(
        tool=tool.id,
        source=source,
        shows=Shows.INSTALLED,
        certainty=Certainty.CERTAIN,
        path=seen.path,
        first_ns=seen.mtime_ns,
    )


def _left(tool: Tool, seen: Seen) -> Iterator[Trace]:
    """Tell of state outside homes, which is its owner's: who makes it runs the tool."""
    in_tmp = seen.path.startswith(("/tmp/", "/var/tmp/"))  # noqa: S108 - compared with, not written to
    yield Trace(
        tool=tool.id,
        source=Source.STATE,
        shows=Shows.HINT,
        certainty=Certainty.WEAK,
        path=seen.path,
        last_ns=seen.mtime_ns,
        owner=seen.uid if in_tmp else None,
    )
