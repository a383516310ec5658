# SPDX-License-Identifier: Apache-2.0
"""Walks a tree by open folders: depth first, through no link, into no other mount.

Memory is that of one folder a level: names are read as the kernel hands them
out. Folders that are deeper or larger than any honest one are left, and told.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sensor.edge.audit_root import Root

DEEPEST = 64
WIDEST = 1_000_000
"""Names of one folder that are read: whoever adds some all the time is left behind."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Left(Enum):
    """Why a folder, or a part of it, was left out."""

    UNREADABLE = "that could not be read"
    DEEP = f"deeper than {DEEPEST} folders"
    WIDE = f"with more than {WIDEST:,} names"
    MOUNT = "on no disk of this host"


class Entry(NamedTuple):
    """One name, in an open folder. ``folder`` is relative to where the walk began."""

    folder: str
    fd: int
    entry: os.DirEntry[str]
    is_folder: bool


@dataclass(slots=True)
class _Level:
    path: str
    fd: int
    names: Iterator[os.DirEntry[str]]
    count: int = 0


def walk(
    root: Root,
    top: str,
    *,
    enters: Callable[[str], bool],
    left: Callable[[str, Left], None],
    deep: bool = True,
) -> Iterator[Entry]:
    """Go through all that is below ``top``; a folder comes before what is in it.

    ``enters`` is asked for each folder with its path below ``top``. What could
    not be gone through is given to ``left``. Without ``deep``, only ``top`` itself.
    """
    levels: list[_Level] = []
    try:
        _push(levels, "", partial(root.folder, top), left)
        while levels:
            level = levels[-1]
            entry = _next(level, left)
            if entry is None:
                _pop(levels)
                continue
            is_folder = _is_folder(entry)
            yield Entry(level.path, level.fd, entry, is_folder)
            if not (is_folder and deep):
                continue
            path = f"{level.path}/{entry.name}" if level.path else entry.name
            if not enters(path):
                continue
            if len(levels) >= DEEPEST:
                left(path, Left.DEEP)
                continue
            _push(levels, path, partial(os.open, entry.name, _FOLDER, dir_fd=level.fd), left)
    finally:
        while levels:
            _pop(levels)


def _push(
    levels: list[_Level],
    path: str,
    open_folder: Callable[[], int],
    left: Callable[[str, Left], None],
) -> None:
    try:
        fd = open_folder()
    except OSError:
        left(path, Left.UNREADABLE)
        return
    try:
        levels.append(_Level(path, fd, os.scandir(fd)))
    except OSError:
        os.close(fd)
        left(path, Left.UNREADABLE)


def _pop(levels: list[_Level]) -> None:
    level = levels.pop()
    with suppress(AttributeError):  # os.scandir's iterator has a close()
        level.names.close()  # type: ignore[attr-defined]
    os.close(level.fd)


def _next(level: _Level, left: Callable[[str, Left], None]) -> os.DirEntry[str] | None:
    level.count += 1
    if level.count > WIDEST:
        left(level.path, Left.WIDE)
        return None
    try:
        return next(level.names, None)
    except OSError:
        left(level.path, Left.UNREADABLE)
        return None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # where the file system does not say, and it is gone meanwhile
        return False
