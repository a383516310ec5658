# SPDX-License-Identifier: Apache-2.0
"""Tells when something is made or taken away in some folders (inotify(7)), cgroups' among them."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# include/uapi/linux/inotify.h
_MOVED, _CREATE, _DELETE, _DELETE_SELF = 0x40 | 0x80, 0x100, 0x200, 0x400
_ONLYDIR = 0x01000000
_CHANGES = _MOVED | _CREATE | _DELETE | _DELETE_SELF | _ONLYDIR
_PIECE_BYTES = 64 * 1024


class Folders:
    """The folders that are watched: readable when something has happened in one of them.

    Raises SensorError where the kernel has no room for another watcher.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise SensorError(
                f"cannot watch folders: {os.strerror(ctypes.get_errno())};"
                " raise fs.inotify.max_user_instances"
            )
        self._watched: dict[Path, int] = {}

    def fileno(self) -> int:
        """Give what is readable when something has happened."""
        return self._fd

    def watch(self, folders: Iterable[Path]) -> None:
        """Watch these folders and no others; one that is not there is left out."""
        wanted = set(folders)
        for folder in self._watched.keys() - wanted:
            self._libc.inotify_rm_watch(self._fd, self._watched.pop(folder))
        for folder in wanted:  # also those that are: one may have been made anew
            number = self._libc.inotify_add_watch(self._fd, os.fsencode(folder), _CHANGES)
            if number >= 0:
                self._watched[folder] = number
            else:
                self._watched.pop(folder, None)

    def take(self) -> None:
        """Take what has happened, a piece at a time: whoever makes folders may never stop."""
        with suppress(BlockingIOError):
            os.read(self._fd, _PIECE_BYTES)

    def close(self) -> None:
        """Watch nothing any more."""
        os.close(self._fd)
