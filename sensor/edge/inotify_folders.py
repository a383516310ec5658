# SPDX-License-Identifier: Apache-2.0
"""Tells when something is made or taken away in some folders (inotify(7)), cgroups' among them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sensor.edge.inotify import Inotify

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# include/uapi/linux/inotify.h
_MOVED, _CREATE, _DELETE, _DELETE_SELF = 0x40 | 0x80, 0x100, 0x200, 0x400
_ONLYDIR = 0x01000000
_CHANGES = _MOVED | _CREATE | _DELETE | _DELETE_SELF | _ONLYDIR


class Folders:
    """The folders that are watched: readable when something has happened in one of them.

    Raises SensorError where the kernel has no room for another watcher.
    """

    def __init__(self) -> None:
        self._inotify = Inotify("folders")
        self._watched: dict[Path, int] = {}

    def fileno(self) -> int:
        """Give what is readable when something has happened."""
        return self._inotify.fileno()

    def watch(self, folders: Iterable[Path]) -> None:
        """Watch these folders and no others; one that is not there is left out."""
        wanted = set(folders)
        for folder in self._watched.keys() - wanted:
            self._inotify.remove(self._watched.pop(folder))
        for folder in wanted:  # also those that are: one may have been made anew
            number = self._inotify.add(os.fsencode(folder), _CHANGES)
            if number is None:
                self._watched.pop(folder, None)
            else:
                self._watched[folder] = number

    def take(self) -> None:
        """Take what has happened, a piece at a time: whoever makes folders may never stop."""
        self._inotify.read()

    def close(self) -> None:
        """Watch nothing any more."""
        self._inotify.close()
