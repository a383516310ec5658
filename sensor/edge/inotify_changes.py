# SPDX-License-Identifier: Apache-2.0
"""Tells which of some files was changed, renamed or removed (inotify(7)), each once."""

from __future__ import annotations

import struct
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

from sensor.edge.inotify import Inotify

if TYPE_CHECKING:
    from collections.abc import Iterator

WATCHED = 4096
"""Files at a time; the oldest make room. The kernel's own bound is 8192 or more for a user."""

NAMES = 16384
"""Of all files: one has as many as there are paths and mount namespaces that lead to it."""

# include/uapi/linux/inotify.h
_MODIFY, _ATTRIB, _MOVE_SELF, _DELETE_SELF, _ONESHOT = 0x2, 0x4, 0x800, 0x400, 0x80000000
_CHANGES = _MODIFY | _ATTRIB | _MOVE_SELF | _DELETE_SELF | _ONESHOT
_OVERFLOWN = -1  # inotify(7): the descriptor of IN_Q_OVERFLOW
_EVENT = struct.Struct("=iIII")

_Name = TypeVar("_Name")


class Changes(Generic[_Name]):
    """Files that are watched, each under the names that its owner gave it.

    Raises SensorError where the kernel has no room for another watcher.
    """

    def __init__(self) -> None:
        self._inotify = Inotify("files")
        self._names: OrderedDict[int, set[_Name]] = OrderedDict()
        self._crowded_out: set[_Name] = set()
        self._count = 0

    def fileno(self) -> int:
        """Give what is readable when something has changed."""
        return self._inotify.fileno()

    def watch(self, handle: int, name: _Name) -> bool:
        """Watch the file of a descriptor until it changes; tells whether it could be done."""
        path = f"/proc/self/fd/{handle}".encode()
        number = self._inotify.add(path, _CHANGES)
        if number is None:
            return False
        names = self._names.setdefault(number, set())
        self._count -= len(names)
        names.add(name)
        self._count += len(names)
        self._names.move_to_end(number)
        while len(self._names) > WATCHED or self._count > NAMES:
            self._drop_oldest()
        return number in self._names

    def _drop_oldest(self) -> None:
        oldest, names = self._names.popitem(last=False)
        self._inotify.remove(oldest)
        self._count -= len(names)
        self._crowded_out |= names

    def crowded_out(self) -> set[_Name]:
        """Give the names of what had to make room since this was asked last."""
        names, self._crowded_out = self._crowded_out, set()
        return names

    def take(self) -> Iterator[_Name]:
        """Give the names of what has changed, a piece at a time; of all where some were lost."""
        piece, at = self._inotify.read(), 0
        while at < len(piece):
            number, _, _, name_bytes = _EVENT.unpack_from(piece, at)
            at += _EVENT.size + name_bytes
            if number == _OVERFLOWN:
                for names in self._names.values():
                    yield from names
                continue
            names = self._names.pop(number, set())
            self._count -= len(names)
            yield from names

    def close(self) -> None:
        """Watch nothing any more."""
        self._inotify.close()
