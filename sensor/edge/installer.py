# SPDX-License-Identifier: Apache-2.0
"""Puts an installation in place and takes it away: files, the group, a word to systemd.

Each file appears whole or not at all. Every method gives lines that say what
was done. Below another ``root`` than / no command is run: that is an image,
whose own systemd makes the group and the folders when it boots.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core import installation
from sensor.core.installation import NAME, File, Step
from sensor.core.quote import quote
from sensor.core.units import size
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SYSTEMD_RUNS = Path("/run/systemd/system")  # sd_booted(3)
_TEXTS = Path(__file__).resolve().parent.parent / "system"
_COMMAND_S = 90
"""A stop takes longest: TimeoutStopSec= of the unit, and systemd's own end after it."""


def texts() -> dict[str, str]:
    """Read the texts that come with the package."""
    return {name: (_TEXTS / name).read_text("utf-8") for name in installation.TEXTS}


def strangers(program: Path) -> str | None:
    """Name what others than root can change on the way to a program, None where nothing is.

    A folder like /tmp, in which each may change but their own, is nobody's way.
    """
    for place in (program, *program.parents):
        found = place.stat()
        is_open = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if found.st_uid != 0 or (is_open and not found.st_mode & stat.S_ISVTX):
            return str(place)
    return None


class Installer:
    """Installs below ``root``; ``live`` is whether that is the host that we run on."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self.live = self._root == Path("/")
        self.systemd = self.live and _SYSTEMD_RUNS.is_dir()

    def install(self, files: Iterable[File]) -> Iterator[str]:
        """Put everything in place; what is there already stays."""
        for file in files:
            yield self._put(file)
        if not self.live:
            yield f"the group {NAME} is made when the image boots (systemd-sysusers)"
            return
        yield from self._make_group()
        if self.systemd:
            yield _run(installation.SYSTEMD_FOLDERS)
            yield _run(installation.RELOAD)

    def uninstall(self, files: Iterable[File], *, purge: bool) -> Iterator[str]:
        """Take everything away, the last thing first; says what it leaves."""
        if self.systemd and self._at(installation.UNIT_FILE).exists():
            yield _run(installation.STOP)
        if self.live and _answers(self._at(installation.SOCKET)):
            raise SensorError(
                f"a daemon answers at {self._at(installation.SOCKET)}: end it, and run this again"
            )
        for file in reversed(tuple(files)):
            yield from self._take(file, purge=purge)
        self._at(installation.ENABLED).unlink(missing_ok=True)
        yield from self._take_folders(purge=purge)
        if self.systemd:
            yield _run(installation.RELOAD)
        if self.live:
            yield from self._remove_group(purge=purge)

    def _at(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def _put(self, file: File) -> str:
        path = self._at(file.path)
        match installation.to_install(file, _text(path)):
            case Step.KEEP:
                if not file.theirs:
                    path.chmod(file.mode)
                return f"unchanged {path}"
            case Step.PUT_ASIDE:
                aside = path.with_name(path.name + installation.ASIDE)
                _write(aside, file)
                return f"kept {path}, which was changed; the new text is {aside}"
            case _:
                _write(path, file)
                return f"wrote {path}"

    def _take(self, file: File, *, purge: bool) -> Iterator[str]:
        path = self._at(file.path)
        aside = path.with_name(path.name + installation.ASIDE)
        found = _text(path)
        if installation.to_uninstall(file, found, purge=purge) is Step.REMOVE:
            path.unlink()
            yield f"removed {path}"
        elif found is not None:
            yield f"left {path}, which was changed; --purge removes it too"
        with suppress(FileNotFoundError):
            aside.unlink()
            yield f"removed {aside}"

    def _take_folders(self, *, purge: bool) -> Iterator[str]:
        with suppress(OSError):  # it holds policy, or a changed file
            self._at(installation.CONFIG_DIR).rmdir()
        for path in (installation.RUN_DIR, installation.CACHE_DIR):
            folder = self._at(path)
            if folder.is_dir():
                shutil.rmtree(folder)
                yield f"removed {folder}"
        for path, what in installation.KEPT.items():
            folder = self._at(path)
            if not folder.is_dir():
                continue
            if purge or not any(folder.iterdir()):
                shutil.rmtree(folder)
                yield f"removed {folder}"
            else:
                amount = size(_bytes(folder))
                yield f"left {folder}, {amount} of {what}; --purge removes it too"

    def _make_group(self) -> Iterator[str]:
        if _group() is not None:
            yield f"unchanged group {NAME}"
        elif self.systemd and shutil.which(installation.SYSTEMD_GROUP[0]):
            yield _run(installation.SYSTEMD_GROUP)
        else:
            yield _run(installation.PLAIN_GROUP)

    def _remove_group(self, *, purge: bool) -> Iterator[str]:
        members = _group()
        if members is None:
            return
        if members and not purge:
            yield f"left group {NAME}, which has members; --purge removes it too"
        else:
            yield _run(installation.REMOVE_GROUP)


def _run(command: Sequence[str]) -> str:
    """Run a command of the host. Raises SensorError with its own words where it fails."""
    line = " ".join(command)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="backslashreplace", check=False,
            stdin=subprocess.DEVNULL, timeout=_COMMAND_S,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise SensorError(f"{line}: {problem}; mend that and run again") from problem
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"ended with {done.returncode}"]
        raise SensorError(f"{line}: {quote(said[0])}; mend that and run again")
    return f"ran {line}"


def _answers(address: Path) -> bool:
    """Tell whether a daemon listens there."""
    with socket.socket(socket.AF_UNIX) as asking, suppress(OSError):
        asking.connect(os.fspath(address))
        return True
    return False


def _text(path: Path) -> str | None:
    """Read a file; None where there is none. What is no UTF-8 was not written by us."""
    try:
        return path.read_bytes().decode("utf-8", "backslashreplace")
    except FileNotFoundError:
        return None


def _write(path: Path, file: File) -> None:
    """Put a whole file in place of whatever has the name, a symbolic link among them."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "w", encoding="utf-8") as out:  # noqa: PTH123  # a descriptor
            out.write(file.text)
            os.fchmod(out.fileno(), file.mode)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _group() -> list[str] | None:
    """Name the group's members; None where there is no such group (getent(1) ends with 2)."""
    asked = subprocess.run(
        installation.ASK_GROUP, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=_COMMAND_S,
    )  # fmt: skip
    if asked.returncode:
        return None
    return [name for name in asked.stdout.strip().rpartition(":")[2].split(",") if name]
