# SPDX-License-Identifier: Apache-2.0
"""Packages: what lies in the folders of package managers, and what these note of it.

The folder tells how a package came there: what lies in npx's is run from there,
what lies in a store or a cache was downloaded.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from sensor.core.audit import logs, manifests
from sensor.core.audit.commands import Reader
from sensor.core.audit.leads import How, Lead
from sensor.core.audit.mentions import Sum
from sensor.core.audit.trace import Trace, traced
from sensor.core.audit.words import Certainty, Shows, Source
from sensor.core.tools import MarkKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sensor.core.audit.atlas import Atlas
    from sensor.core.audit.leads import Seen
    from sensor.core.audit.manifests import Package
    from sensor.core.tools import Tool

_UV_WHEELS = re.compile(r"(.*/)?uv/wheels-v[0-9]+/(pypi|index/[^/]+)")
_PIP_CACHE = re.compile(r"\.cache/pip/(http|http-v2|wheels)/.*")
_BUN_CACHE = re.compile(r"(.*/)?\.bun/install/cache(/(@[^/]+))?")
_YARN_CACHE = re.compile(r"(.*/)?\.cache/yarn/v[0-9]+")
_INSTALLED_IN = ("site-packages", "dist-packages")

# By a part of the path, how a package of npm came there; the first that fits.
_NPM_PLACES = (
    (".npm/_npx/", Source.NPX, Shows.RUN_ONCE),
    ("/.local/share/Trash/", Source.NPM, Shows.REMOVED),
    ("/.pnpm/", Source.PNPM_STORE, Shows.DOWNLOADED),
    ("pnpm/store/", Source.PNPM_STORE, Shows.DOWNLOADED),
    ("pnpm/dlx", Source.NPX, Shows.RUN_ONCE),
    (".bun/install/cache/", Source.BUN_CACHE, Shows.DOWNLOADED),
)
_PYTHON_PLACES = (
    ("/.local/share/Trash/", Source.PYTHON, Shows.REMOVED),
    ("pipx/venvs/", Source.PIPX, Shows.INSTALLED),
    ("uv/tools/", Source.UV_TOOL, Shows.INSTALLED),
    ("uv/archive-v", Source.UVX, Shows.RUN_ONCE),
    ("uv/builds-v", Source.UV_CACHE, Shows.DOWNLOADED),
    ("/pkgs/", Source.CONDA, Shows.DOWNLOADED),
)


class Finder:
    """Finds packages by their folder's name, and the notes of who installed them."""

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self._reader = Reader(atlas)
        self._yarn = {f"npm-{name.replace('/', '-')}-": tool for name, tool in _npm_packages(atlas)}

    def lead(self, folder: str, name: str) -> Lead | None:
        """Say whether an entry is a package, a cache's or a log."""
        above, _, last = folder.rpartition("/")
        if name.endswith((".dist-info", ".egg-info")):
            return self._distribution(folder, name)
        if last == "node_modules":
            return self._npm(name)
        if last.startswith("@") and above.rpartition("/")[2] == "node_modules":
            return self._npm(f"{last}/{name}")
        return self._listed(last, name) or self._cached(folder, name) or self._logged(folder)

    def _listed(self, last: str, name: str) -> Lead | None:
        """Find what a manager lays down under a name that says all."""
        if last == "extensions":
            return self._extension(name)
        if last in {"Cellar", "Caskroom"}:
            return _entry(self._atlas.packages["brew"].get(name), Source.BREW, Shows.INSTALLED)
        if last == "conda-meta":
            return self._named(manifests.conda(name), Source.CONDA, Shows.INSTALLED)
        return None

    def _npm(self, name: str) -> Lead | None:
        tool = self._atlas.npm(name)
        if tool is None:
            return None
        tell = partial(_npm_manifest, tool, name)
        return Lead(how=How.TEXT, files=("package.json",), tell=tell)

    def _distribution(self, folder: str, name: str) -> Lead | None:
        package = manifests.dist_folder(name)
        tool = self._atlas.pypi(package.name) if package else None
        if package is None or tool is None:
            return None
        files = ("METADATA",) if name.endswith(".dist-info") else ("PKG-INFO",)
        is_installed = folder.rpartition("/")[2] in _INSTALLED_IN
        tell = partial(_python_manifest, tool, package.name, is_installed=is_installed)
        return Lead(how=How.TEXT, files=(*files, "entry_points.txt"), tell=tell)

    def _extension(self, name: str) -> Lead | None:
        if name == ".obsolete":
            return Lead(how=How.TEXT, tell=self._obsolete)
        package = manifests.extension(name)
        tools = self._atlas.extensions.get(package.name) if package else None
        if package is None or tools is None:
            return None
        tell = partial(_extension_manifest, tools[0], package)
        return Lead(how=How.TEXT, files=("package.json",), tell=tell)

    def _obsolete(self, seen: Seen) -> Iterator[Trace]:
        """Tell of extensions that were removed and not yet cleaned up."""
        for text in seen.texts:
            for name in manifests.object_of(text):
                package = manifests.extension(name)
                for tool in self._atlas.extensions.get(package.name if package else "", ())[:1]:
                    yield traced(seen, tool, Source.EXTENSION, Shows.REMOVED, Certainty.LIKELY)

    def _cached(self, folder: str, name: str) -> Lead | None:
        if _UV_WHEELS.fullmatch(folder):
            return _entry(self._atlas.pypi(name), Source.UV_CACHE, Shows.DOWNLOADED)
        if _PIP_CACHE.fullmatch(folder):
            if name.endswith(".whl"):
                package = manifests.wheel(name.removesuffix(".whl"))
                return self._named(package, Source.PIP_CACHE, Shows.DOWNLOADED)
            return Lead(how=How.TAIL, tell=self._wheel)
        if _YARN_CACHE.fullmatch(folder):
            tools = (tool for start, tool in self._yarn.items() if name.startswith(start))
            return _entry(next(tools, None), Source.YARN_CACHE, Shows.DOWNLOADED)
        if found := _BUN_CACHE.fullmatch(folder):
            scope = f"{found[3]}/" if found[3] else ""
            plain = name.partition("@")[0]
            return _entry(self._atlas.npm(scope + plain), Source.BUN_CACHE, Shows.DOWNLOADED)
        return None

    def _named(self, package: Package | None, source: Source, shows: Shows) -> Lead | None:
        if package is None:
            return None
        return _entry(self._atlas.pypi(package.name), source, shows, package.version)

    def _wheel(self, seen: Seen) -> Iterator[Trace]:
        package = manifests.wheel_members(seen.tail)
        if package and (tool := self._atlas.pypi(package.name)):
            yield traced(
                seen, tool, Source.PIP_CACHE, Shows.DOWNLOADED, Certainty.LIKELY, package.version
            )

    def _logged(self, folder: str) -> Lead | None:
        if folder.endswith(".npm/_logs"):
            return self._command(logs.npm_argv, Source.NPM_LOG)
        if folder.endswith((".local/state/pipx/log", ".local/pipx/logs")):
            return self._command(logs.pipx_command, Source.PIPX_LOG)
        if "_cacache/index-v5/" in folder:
            return Lead(how=How.LINES, tell=self._index)
        return None

    def _command(self, read: Callable[[Iterable[str]], list[str]], source: Source) -> Lead:
        def tell(seen: Seen) -> Iterator[Trace]:
            total = Sum()
            total.take(self._reader.command(read(seen.lines)), seen.mtime_ns)
            yield from total.traces(source, seen.path, certainty=Certainty.CERTAIN)

        return Lead(how=How.LINES, tell=tell)

    def _index(self, seen: Seen) -> Iterator[Trace]:
        for noted in logs.npm_index(seen.lines):
            if tool := self._atlas.npm(noted.name):
                yield Trace(
                    tool=tool.id,
                    source=Source.NPM_CACHE,
                    shows=noted.shows,
                    certainty=Certainty.LIKELY,
                    path=seen.path,
                    first_ns=noted.at_ns,
                    version=noted.version,
                )


def _npm_packages(atlas: Atlas) -> Iterable[tuple[str, Tool]]:
    return atlas.packages["npm"].items()


def _npm_manifest(tool: Tool, name: str, seen: Seen) -> Iterator[Trace]:
    package = manifests.npm(seen.texts[0]) if seen.texts else None
    if package is None or package.name != name:
        return
    # Whoever owns a scope owns all names in it; any registry can have another `droid`.
    is_sure = name.startswith("@") or _brings(tool, package)
    yield _placed(_NPM_PLACES, (Source.NPM, Shows.INSTALLED), seen, tool, package, is_sure=is_sure)


def _python_manifest(tool: Tool, name: str, seen: Seen, *, is_installed: bool) -> Iterator[Trace]:
    metadata, entry_points = (*seen.texts, "", "")[:2]
    package = manifests.distribution(metadata, entry_points)
    if package is None or package.name != name:
        return
    default = (Source.PYTHON, Shows.INSTALLED if is_installed else Shows.HINT)
    if not is_installed and "uv/archive-v" in seen.path:
        default = (Source.UV_CACHE, Shows.DOWNLOADED)
        places: tuple[tuple[str, Source, Shows], ...] = ()
    else:
        places = _PYTHON_PLACES if is_installed else ()
    yield _placed(places, default, seen, tool, package, is_sure=_brings(tool, package))


def _placed(
    places: tuple[tuple[str, Source, Shows], ...], default: tuple[Source, Shows], seen: Seen,
    tool: Tool, package: Package, *, is_sure: bool,
) -> Trace:  # fmt: skip
    """Tell of a package by where it lies; a stranger's of the same name is a hint at most."""
    fitting = ((source, shows) for part, source, shows in places if part in seen.path)
    source, shows = next(fitting, default)
    if not is_sure:
        return traced(seen, tool, source, Shows.HINT, Certainty.WEAK, package.version)
    return traced(seen, tool, source, shows, Certainty.CERTAIN, package.version)


def _brings(tool: Tool, package: Package) -> bool:
    """Tell whether a package brings a command of the tool's, if this has any."""
    names = {mark.value for mark in tool.marks if mark.kind is MarkKind.NAME}
    return not names or bool(names & package.commands)


def _extension_manifest(tool: Tool, named: Package, seen: Seen) -> Iterator[Trace]:
    raw = manifests.object_of(seen.texts[0]) if seen.texts else {}
    if f"{raw.get('publisher')}.{raw.get('name')}".lower() == named.name:
        yield traced(
            seen, tool, Source.EXTENSION, Shows.INSTALLED, Certainty.CERTAIN, named.version
        )


def _entry(
    tool: Tool | None, source: Source, shows: Shows, version: str | None = None
) -> Lead | None:
    """Take a name for what it says: nobody but a package manager writes there."""
    if tool is None:
        return None
    return Lead(how=How.ENTRY, tell=partial(_named, tool, source, shows, version))


def _named(
    tool: Tool, source: Source, shows: Shows, version: str | None, seen: Seen
) -> Iterator[Trace]:
    yield traced(seen, tool, source, shows, Certainty.LIKELY, version)
