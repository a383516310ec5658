# SPDX-License-Identifier: Apache-2.0
"""Packages: which one a program came in, by the manifests that npm and pip leave beside it.

Paths are those of a process, below ``root`` (its ``/proc/PID/root``, or the
host's ``/``). Every read is bounded, and nothing is followed out of the root.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

LINKS = 40
"""Links that are followed, as the kernel does (include/linux/namei.h: MAXSYMLINKS)."""

FOLDERS = 24
"""So far up is looked for a package.json."""

MANIFEST_BYTES = 524_288
"""Of a package.json; that of the largest tool is 60 KB."""

SITES = 8
"""So many folders of distributions that belong to one Python are looked at."""

DISTRIBUTIONS = 4096
"""So many entries of a site-packages are looked at."""

_SITES = re.compile(r"python3(\.\d+t?)?")
_NPM = re.compile(r"(@[a-z0-9._~-]+/)?[a-zA-Z0-9._~-]{1,214}")
_DASHES = re.compile(r"[-_.]+")
_DIST = ".dist-info"
# Beside the manifest of a checkout; npm publishes none of them but the last, which nobody does.
_SOURCES = (
    ".git", ".gitignore", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock",
    "tsconfig.json",
)  # fmt: skip
_SITE_NAMES = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True)
class Package:
    """``npm:NAME`` or ``pypi:NAME``, and whether it names the program as its own.

    ``is_source`` where it was not installed: its manifest lies among sources.
    """

    name: str
    owns: bool
    is_source: bool = False


def of_program(root: str, path: str) -> Package | None:
    """Find the package of a program or script; None where no manifest is near."""
    resolved = resolve(root, path)
    if resolved is None:
        return None
    try:
        # Anybody may lay a manifest beside or above others' files, in /tmp say. The root of
        # a container belongs to whoever is root in it.
        owners = {0, os.lstat(root + resolved).st_uid, Path(root or "/").stat().st_uid}
    except OSError:
        return None
    return (
        _console_script(root, resolved, owners)
        or _within_site(root, resolved)
        or _nearest_npm(root, resolved, owners)
    )


def of_module(root: str, python: str, module: str) -> Package | None:
    """Find the package of a module that a Python runs which was started by this path."""
    prefix = posixpath.dirname(posixpath.dirname(posixpath.normpath(python)))
    for site in _sites(root, prefix):
        if found := _of_top(root, site, module):
            return found
    return None


def main_of(root: str, folder: str) -> str | None:
    """Give what a folder's package.json says that is run for it."""
    main = _json(root + posixpath.join(folder, "package.json")).get("main")
    return main if isinstance(main, str) and main else None


def resolve(root: str, path: str) -> str | None:
    """Follow the links of a path within its root; None where it leads nowhere."""
    todo, done, links = path.split("/")[::-1], [""], 0
    while todo:
        part = todo.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            done = done[:-1] or [""]
            continue
        here = "/".join((*done, part))
        try:
            target = str(Path(root + here).readlink())
        except FileNotFoundError:
            return None
        except OSError:  # no link
            done.append(part)
            continue
        links += 1
        if links > LINKS:
            return None
        if target.startswith("/"):
            done = [""]
        todo += target.split("/")[::-1]
    return "/".join(done) or "/"


def _nearest_npm(root: str, path: str, owners: Collection[int]) -> Package | None:
    folder = posixpath.dirname(path)
    for _ in range(FOLDERS):
        manifest = _json(root + posixpath.join(folder, "package.json"), owners)
        name = manifest.get("name")
        if isinstance(name, str) and _NPM.fullmatch(name):
            owns = path in _programs(folder, manifest)
            is_source = any(os.path.lexists(f"{root}{folder}/{one}") for one in _SOURCES)
            return Package(f"npm:{name}", owns=owns, is_source=is_source)
        if folder == "/":
            return None
        folder = posixpath.dirname(folder)
    return None


def _programs(folder: str, manifest: dict[str, object]) -> frozenset[str]:
    """Give the paths of what a manifest calls its programs."""
    given = manifest.get("bin")
    values = given.values() if isinstance(given, dict) else (given,)
    return frozenset(
        posixpath.normpath(posixpath.join(folder, one)) for one in values if isinstance(one, str)
    )


def _console_script(root: str, path: str, owners: Collection[int]) -> Package | None:
    """Find whose ``entry_points.txt`` names a script of a ``bin`` folder, or whose files it is of.

    A script that a distribution brings along whole is in its RECORD alone (PEP 376).
    """
    folder, name = posixpath.split(path)
    if posixpath.basename(folder) != "bin":
        return None
    sites = list(_sites(root, posixpath.dirname(folder)))
    for manifest, line in (
        ("entry_points.txt", rf"^{re.escape(name)}\s*="),
        ("RECORD", rf"^(\.\./)+bin/{re.escape(name)},"),
    ):
        wanted = re.compile(line, re.MULTILINE)
        for site in sites:
            for dist in _distributions(root, site):
                if wanted.search(_text(f"{root}{site}/{dist}/{manifest}", owners)):
                    return Package(_pypi(dist), owns=True)
    return None


def _within_site(root: str, path: str) -> Package | None:
    """Find whose folder below ``site-packages`` a program lies in."""
    for name in _SITE_NAMES:
        site, found, below = path.rpartition(f"/{name}/")
        if found:
            top = below.partition("/")[0].removesuffix(".py")
            return _of_top(root, f"{site}/{name}", top)
    return None


def _of_top(root: str, site: str, top: str) -> Package | None:
    wanted = f"pypi:{_normal(top)}"
    dists = list(_distributions(root, site))
    for dist in dists:
        if _pypi(dist) == wanted:
            return Package(wanted, owns=True)
    for dist in dists:
        if top in _text(f"{root}{site}/{dist}/top_level.txt").split():
            return Package(_pypi(dist), owns=True)
    # setuptools alone writes that list; all write RECORD.
    files = re.compile(rf"^{re.escape(top)}(/__init__)?\.py,", re.MULTILINE)
    for dist in dists:
        if files.search(_text(f"{root}{site}/{dist}/RECORD")):
            return Package(_pypi(dist), owns=True)
    return None


def _sites(root: str, prefix: str) -> Iterator[str]:
    """Give the folders of installed distributions that belong to a ``bin`` beside ``lib``."""
    return islice(_all_sites(root, prefix), SITES)


def _all_sites(root: str, prefix: str) -> Iterator[str]:
    for given in (f"{prefix}/lib", f"{prefix}/local/lib"):
        lib = resolve(root, given)
        if lib is None:
            continue
        for python in _listed(root + lib):
            if _SITES.fullmatch(python):
                for name in _SITE_NAMES:
                    site = resolve(root, f"{lib}/{python}/{name}")
                    if site and Path(root + site).is_dir():
                        yield site


def _distributions(root: str, site: str) -> Iterator[str]:
    return (name for name in _listed(root + site) if name.endswith(_DIST))


def _listed(folder: str) -> list[str]:
    names = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            names.append(entry.name)
            if len(names) == DISTRIBUTIONS:
                break
    return sorted(names)


def _pypi(dist: str) -> str:
    """Name a distribution by the folder of its metadata (PEP 376, PEP 503)."""
    return f"pypi:{_normal(dist.removesuffix(_DIST).rpartition('-')[0])}"


def _normal(name: str) -> str:
    return _DASHES.sub("-", name).lower()


def _json(path: str, owners: Collection[int] = ()) -> dict[str, object]:
    try:
        found = json.loads(_text(path, owners) or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(path: str, owners: Collection[int] = ()) -> str:
    """Read a regular file of a bounded size; empty where it is none, or another owner's."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MANIFEST_BYTES:
            return ""
        if owners and (status.st_uid not in owners or status.st_mode & stat.S_IWOTH):
            return ""
        return file.read(MANIFEST_BYTES).decode("utf-8", "replace")
