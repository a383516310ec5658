# SPDX-License-Identifier: Apache-2.0
"""What was compiled once for this kernel is kept, where there is a folder for it.

A compile takes seconds of CPU and 130 MB; from the kept programs the probes are in
force in a fraction of a second, which is what a host's start waits for. The folder
is systemd's ``CacheDirectory=``, or the one that `install` has made: where neither
is, as for `watch`, nothing is left on the host.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.daemon.instance import COMPILING
from sensor.edge.libbpf import Map
from sensor.edge.libbpf_maps import make, shape
from sensor.errors import BadInputError
from sensor.wire.code import Code, packed, rebound, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.edge.compiler import Compiled

FOLDER = Path("/var/cache/agent-sensor")
# systemd.exec(5); several may be named.
VARIABLE = "CACHE_DIRECTORY"
_SUFFIX = ".code"
# Those of a kernel that may be booted again, and of what was there before an upgrade.
_KEPT = 4


class Ready:
    """The probes' programs with maps of their own: what ``Compiled`` is, without a compile."""

    def __init__(self, code: Code) -> None:
        self._maps = {name: Map(make(name, shape), owns=True) for name, shape in code.maps.items()}
        fds = {place: one.fd for place, one in enumerate(self._maps.values())}
        self._programs = {name: rebound(text, fds) for name, text in code.programs.items()}

    def programs(self) -> list[str]:
        """Name the programs."""
        return [*self._programs]

    def code(self, name: str) -> bytes:
        """Give the instructions of one program."""
        return self._programs[name]

    def map(self, name: str) -> int:
        """Give the descriptor of a map."""
        return self._maps[name].fd


def compiled(
    version: str, make_it: Callable[[], Compiled], *, say: Callable[[str], None]
) -> Compiled | Ready:
    """Take the programs of this version from where they are kept, or compile and keep them.

    A compile is said before it begins.
    """
    file = _file(version)
    if not _is_ours(file.parent, stat.S_ISDIR):
        say(COMPILING)
        return make_it()
    if _is_ours(file, stat.S_ISREG):
        with suppress(BadInputError):  # it is compiled anew, and written over
            return Ready(unpacked(file.read_bytes()))
    say(f"{COMPILING}, once: they are kept in {file.parent}")
    fresh = make_it()
    # A disk that is full, or a program of another kind, keeps nobody from being watched.
    with suppress(OSError, BadInputError):
        _keep(file, packed(_code(fresh)))
    return fresh


def forget(version: str) -> None:
    """Let go of what is kept of this version, if that is ours."""
    file = _file(version)
    if _is_ours(file.parent, stat.S_ISDIR):
        with suppress(OSError):
            file.unlink()


def _file(version: str) -> Path:
    folder = Path(os.environ.get(VARIABLE, "").split(":")[0] or FOLDER)
    return folder / f"{version}{_SUFFIX}"


def _code(compiled: Compiled) -> Code:
    maps = compiled.maps()
    places = {fd: place for place, fd in enumerate(maps.values())}
    return Code(
        {name: shape(fd) for name, fd in maps.items()},
        {name: rebound(compiled.code(name), places) for name in compiled.programs()},
    )


def _is_ours(path: Path, is_kind: Callable[[int], bool]) -> bool:
    """Tell whether nobody else can have written what is there: it becomes the kernel's."""
    try:
        found = path.lstat()
    except OSError:
        return False
    others = stat.S_IWGRP | stat.S_IWOTH
    return is_kind(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & others


def _keep(file: Path, text: bytes) -> None:
    with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
        fresh = Path(scratch, file.name)
        fresh.touch(0o600)
        fresh.write_bytes(text)
        fresh.replace(file)
    kept = sorted(file.parent.glob(f"*{_SUFFIX}"), key=lambda one: one.stat().st_mtime)
    for old in kept[:-_KEPT]:
        old.unlink(missing_ok=True)
