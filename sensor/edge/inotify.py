# SPDX-License-Identifier: Apache-2.0
"""The descriptor of inotify(7): what is watched through it, and what it tells."""

from __future__ import annotations

import ctypes
import os

from sensor.errors import SensorError

_PIECE_BYTES = 64 * 1024


class Inotify:
    """One descriptor; ``what`` are the things that its owner watches, for the error.

    Raises SensorError where the kernel has no room for another watcher.
    """

    def __init__(self, what: str) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise SensorError(
                f"cannot watch {what}: {os.strerror(ctypes.get_errno())};"
                " raise fs.inotify.max_user_instances"
            )

    def fileno(self) -> int:
        """Give what is readable when something has happened."""
        return self._fd

    def add(self, path: bytes, mask: int) -> int | None:
        """Watch a path; gives the number of the watch, None where it could not be had."""
        number: int = self._libc.inotify_add_watch(self._fd, path, ctypes.c_uint32(mask))
        return number if number >= 0 else None

    def remove(self, number: int) -> None:
        """Watch it no longer; one that the kernel has ended already is none."""
        self._libc.inotify_rm_watch(self._fd, number)

    def read(self) -> bytes:
        """Take a piece of what has happened, empty where nothing has."""
        try:
            return os.read(self._fd, _PIECE_BYTES)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """Watch nothing any more."""
        os.close(self._fd)
