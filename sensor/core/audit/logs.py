# SPDX-License-Identifier: Apache-2.0
"""What package managers note: lines of their logs, indexes and databases.

Each reader yields what was done with packages, by the names that these have
there; who looks them up in the catalogue is :mod:`sensor.core.audit.spotting`.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sensor.core.audit.manifests import object_of
from sensor.core.audit.trace import version_of
from sensor.core.audit.words import Shows
from sensor.core.wall import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NPM_ARGV = re.compile(r"[0-9]+ verbose argv (.*)")
_TARBALL = re.compile(
    r"make-fetch-happen:request-cache:https?://[^/]+/(?:[^@]*/)?"
    r"(?P<name>@[^/]+/[^/@]+|[^/@]+)/-/(?P<file>[^/]+)\.tgz"
)
_PIPX = re.compile(r"\s*[0-9.]+ms \([^)]*\): (\S*/?pipx(?: .*)?)")
_DPKG_LOG = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}) (install|upgrade|remove|purge) "
    r"([a-z0-9][a-z0-9.+-]+)(?::\S+)? (\S+) (\S+)"
)
_APT_DATE = re.compile(r"Start-Date: ([0-9]{4}-[0-9]{2}-[0-9]{2})\s+([0-9:]{8})")
_APT_ACTION = re.compile(r"(Install|Upgrade|Reinstall|Remove|Purge): (.*)")
_APT_PACKAGE = re.compile(r"([a-z0-9][a-z0-9.+-]+)(?::[a-z0-9]+)? \(([^,)]*)")
_RPM_LOG = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8})(Z|[+-][0-9]{4}) SUBDEBUG "
    r"(Installed|Upgrade|Upgraded|Erase|Erased): (.+)-([^-]+)-[^-]+"
)
_NS_PER_MS = 1_000_000
_ENDS = frozenset({"remove", "purge", "Remove", "Purge", "Erase", "Erased"})


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that a log tells of one package."""

    name: str
    shows: Shows
    at_ns: int | None = None
    version: str | None = None


def npm_argv(lines: Iterable[str]) -> list[str]:
    """Read the command of one run of npm from its debug log, in which it stands near the top."""
    for line, _ in zip(lines, range(64), strict=False):
        if found := _NPM_ARGV.fullmatch(line):
            try:
                return ["npm", *shlex.split(found[1])]
            except ValueError:
                return []
    return []


def npm_index(lines: Iterable[str]) -> Iterator[Noted]:
    """Read one bucket of npm's cache index; a tarball is a download, metadata is none."""
    for line in lines:
        entry = object_of(line.partition("\t")[2])
        key, time_ms = entry.get("key"), entry.get("time")
        if isinstance(key, str) and (found := _TARBALL.fullmatch(key)):
            name = unquote(found["name"])
            version = found["file"].removeprefix(f"{name.rpartition('/')[2]}-")
            at_ns = time_ms * _NS_PER_MS if type(time_ms) is int and time_ms > 0 else None
            yield Noted(name, Shows.DOWNLOADED, at_ns, version_of(version))


def pipx_command(lines: Iterable[str]) -> list[str]:
    """Read the command of one run of pipx from its log."""
    for line, _ in zip(lines, range(64), strict=False):
        if found := _PIPX.fullmatch(line):
            return found[1].split()
    return []


def dpkg_status(lines: Iterable[str]) -> Iterator[Noted]:
    """Read dpkg's database: what is there, and what only left its configuration."""
    name, status, version = "", "", None
    for line in (*lines, ""):
        key, _, value = line.partition(": ")
        match key:
            case "Package":
                name = value
            case "Status":
                status = value
            case "Version":
                version = version_of(value)
            case "" if name:
                if status.endswith(" installed"):
                    yield Noted(name, Shows.INSTALLED, None, version)
                elif status.endswith(" config-files"):
                    yield Noted(name, Shows.REMOVED, None, version)
                name, status, version = "", "", None


def dpkg_log(lines: Iterable[str]) -> Iterator[Noted]:
    """Read ``dpkg.log``; its times have no zone and are taken as UTC."""
    for line in lines:
        if found := _DPKG_LOG.fullmatch(line):
            ends = found[2] in _ENDS
            version = version_of(found[4] if ends else found[5])
            shows = Shows.REMOVED if ends else Shows.WAS_INSTALLED
            yield Noted(found[3], shows, _moment(found[1].replace(" ", "T")), version)


def apt_history(lines: Iterable[str]) -> Iterator[Noted]:
    """Read ``apt/history.log``; its times are taken as UTC."""
    at_ns = None
    for line in lines:
        if found := _APT_DATE.fullmatch(line):
            at_ns = _moment(f"{found[1]}T{found[2]}")
        elif found := _APT_ACTION.fullmatch(line):
            shows = Shows.REMOVED if found[1] in _ENDS else Shows.WAS_INSTALLED
            for name, version in _APT_PACKAGE.findall(found[2]):
                yield Noted(name, shows, at_ns, version_of(version))


def rpm_log(lines: Iterable[str]) -> Iterator[Noted]:
    """Read ``dnf.rpm.log``."""
    for line in lines:
        if found := _RPM_LOG.fullmatch(line):
            shows = Shows.REMOVED if found[3] in _ENDS else Shows.WAS_INSTALLED
            at_ns = _moment(found[1] + ("+00:00" if found[2] == "Z" else found[2]))
            yield Noted(found[4], shows, at_ns, version_of(found[5]))


def _moment(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * NS_PER_S
    except (ValueError, OverflowError):
        return None
