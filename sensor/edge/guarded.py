# SPDX-License-Identifier: Apache-2.0
"""Files that decide what is refused: read only where root alone can have written them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from sensor.errors import BadInputError, SensorError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_BYTES = 16 * 1024 * 1024
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def read(path: Path) -> str:
    """Read a text. BadInputError says what is wrong with the file, or who else could change it."""
    _check_folder(path)
    try:
        with path.open("rb") as file:
            _check(os.fstat(file.fileno()), path)
            raw = file.read(LARGEST_BYTES + 1)
    except OSError as problem:
        raise _unreadable(path, problem) from problem
    if len(raw) > LARGEST_BYTES:
        raise BadInputError(f"{path}: more than {LARGEST_BYTES} bytes; name another file")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise BadInputError(f"{path}: {problem}; write it in UTF-8") from problem


def check(path: Path) -> None:
    """See that a file is there and root's alone, without reading it. Raises as `read` does."""
    _check_folder(path)
    try:
        found = path.stat()
    except OSError as problem:
        raise _unreadable(path, problem) from problem
    _check(found, path)


def write(path: Path, text: str, *, over_reboot: bool = True) -> None:
    """Put a text in the place of what is there: all of it, or nothing, whatever happens.

    What nobody asks for after a reboot need not wait for the disk. Raises SensorError where
    that cannot be done.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        with open(fresh, "w", encoding="utf-8", opener=_opened) as file:  # its mode
            try:
                file.write(text)
                file.flush()
                if over_reboot:
                    os.fsync(file.fileno())
                fresh.replace(path)
            except BaseException:
                fresh.unlink(missing_ok=True)
                raise
        if not over_reboot:
            return
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as problem:
        raise SensorError(f"{path}: {problem.strerror}; it is as it was before") from problem


def _opened(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _unreadable(path: Path, problem: OSError) -> BadInputError:
    return BadInputError(f"{path}: {problem.strerror}; name a readable file")


def _check(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise BadInputError(f"{path}: is no file; name one")
    if found.st_uid not in {0, os.geteuid()}:
        raise BadInputError(
            f"{path}: belongs to the uid {found.st_uid}, who could change it; run chown root {path}"
        )
    if found.st_mode & _OTHERS:
        raise BadInputError(f"{path}: others than root can change it; run chmod go-w {path}")


def _check_folder(path: Path) -> None:
    """See that nobody else can put another file in its place."""
    try:
        folder = path.resolve().parent
        found = folder.stat()
    except OSError as problem:
        raise _unreadable(path, problem) from problem
    is_open = found.st_mode & _OTHERS and not found.st_mode & stat.S_ISVTX
    if is_open or found.st_uid not in {0, os.geteuid()}:
        raise BadInputError(
            f"{folder}: others than root can put files there; run chown root {folder} and"
            f" chmod go-w {folder}"
        )
