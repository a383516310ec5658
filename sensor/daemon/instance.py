# SPDX-License-Identifier: Apache-2.0
"""An instance: one set of attached probes, and the folder of bpffs its pins lie in.

    <bpffs>/agent-sensor/<instance>/<fingerprint>/{map,link}_<name>

The instance is named by its run directory and scope, so several live side by
side; the fingerprint is that of sources, kernel and options, so what is there
either fits or is replaced.
"""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.blake2 import blake2b
from sensor.edge import libbpf
from sensor.edge.libbpf_programs import Programs
from sensor.errors import SensorError
from sensor.wire.programs import STAND_BYS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

FOLDER = "agent-sensor"
_HALF_MADE = "new"


def fingerprint(*parts: bytes) -> str:
    """Give a name for these bytes, in their order: 16 hexadecimal digits."""
    digest = blake2b(digest_size=8)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


COMPILING = "compiling the probes for this kernel (10-20 s)"
"""How the line begins that a loader says before it compiles."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is in force: the folder of the pins, and the programs that are missing, with why."""

    pins: Path
    reused: bool
    missing: dict[str, str]


class Instance:
    """The pins of one instance, below ``bpffs``."""

    def __init__(self, *, bpffs: Path, run_dir: Path, scope: Path) -> None:
        name = fingerprint(os.fsencode(run_dir.absolute()), os.fsencode(scope))
        self.folder = bpffs / FOLDER / name

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the instance against every other loader; waits for one that is at work."""
        handle = self._open()
        try:
            yield
        finally:
            os.close(handle)

    def _open(self) -> int:
        """Open and lock the folder; makes it anew where its holder took it away meanwhile."""
        while True:
            try:
                _own(self.folder.parent)
                _own(self.folder)
                handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            fcntl.flock(handle, fcntl.LOCK_EX)
            if os.fstat(handle).st_nlink:
                return handle
            os.close(handle)

    def loaded(self, version: str, names: Collection[str]) -> Path | None:
        """Give the folder with the pins of this version, if all these are in it."""
        pins = self.folder / version
        return pins if all((pins / name).exists() for name in names) else None

    def begin(self) -> Path:
        """Make an empty folder for new pins; they count once :meth:`commit` has named it."""
        pins = self.folder / _HALF_MADE
        _remove(pins)
        pins.mkdir(mode=0o700)
        return pins

    def commit(self, pins: Path, version: str) -> Path:
        """Put the new pins in force, beside those of other versions that are there."""
        named = self.folder / version
        _remove(named)  # something of it was missing
        return pins.rename(named)

    def retire(self, pins: Path) -> None:
        """Take away all other pins of this instance: what they refused, these do."""
        with self.locked():
            for other in self.folder.iterdir():
                if other != pins:
                    _remove(other)

    def versions(self) -> list[Path]:
        """List the folders with pins, of whatever version, that count."""
        if not self.folder.is_dir():
            return []
        return sorted(pins for pins in self.folder.iterdir() if pins.name != _HALF_MADE)

    def others(self) -> list[Path]:
        """List the folders of other instances that have pins."""
        return sorted(
            folder
            for folder in self.folder.parent.glob("*/")
            if folder != self.folder and any(pins.name != _HALF_MADE for pins in folder.iterdir())
        )

    def discard(self, pins: Path) -> None:
        """Take these pins away; others stay in force."""
        with self.locked():
            _remove(pins)
            self._leave()

    def remove(self) -> bool:
        """Take all pins away, which detaches what they held. Tells whether there were any."""
        if not self.folder.is_dir():
            return False
        with self.locked():
            return self.clear()

    def clear(self) -> bool:
        """Do what :meth:`remove` does, for whom holds the instance already."""
        found = False
        for pins in self.folder.iterdir():
            _remove(pins)
            found = True
        self._leave()
        return found

    def abandon(self) -> None:
        """Take away what was begun and did not come to an end, for whom holds the instance."""
        _remove(self.folder / _HALF_MADE)
        self._leave()

    def _leave(self) -> None:
        """Remove the folders that nothing is in."""
        for folder in (self.folder, self.folder.parent):
            with suppress(OSError):  # other versions, or another instance, are in there
                folder.rmdir()


def _own(folder: Path) -> None:
    """Make a folder, or see that it is ours: in a fresh bpffs anybody may make one first."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {0, os.geteuid()}:
        raise SensorError(
            f"{folder} was made by the user with the id {found.st_uid}, who could take the pins"
            " away: remove it, and mount bpffs with mode=0700"
        )


def _remove(pins: Path) -> None:
    if not pins.exists():
        return
    for pin in pins.iterdir():
        pin.unlink()
    pins.rmdir()


class Pins:
    """The maps and links of loaded probes, opened through libbpf."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def map(self, name: str) -> libbpf.Map:
        """Open a map by its name in the source. Raises SensorError where it is not pinned."""
        path = self.folder / f"map_{name}"
        if not path.exists():
            raise SensorError(f"{path}: no such pin; unload this instance and load it again")
        return libbpf.Map(libbpf.open_pin(str(path)), owns=True)

    def programs(self) -> Programs:
        """Open the programs, attached or to be attached on demand, each once; no stand-bys.

        What those were not run for is missed only if the first were not run either.
        """
        programs = {pin.name.removeprefix("prog_"): pin for pin in self.folder.glob("prog_*")}
        for link in self.folder.glob("link_*"):
            programs.setdefault(link.name.removeprefix("link_"), link)
        for one in STAND_BYS:
            programs.pop(one.name, None)
        return Programs(programs.values())

    def attached(self) -> frozenset[str]:
        """Name the programs whose links are pinned, stand-bys too."""
        links = self.folder.glob("link_*")
        return frozenset(link.name.removeprefix("link_") for link in links)
