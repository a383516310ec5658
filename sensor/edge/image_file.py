# SPDX-License-Identifier: Apache-2.0
"""The file that a process runs: held by a descriptor, and read in windows.

Read, not mapped: whoever cuts a mapped file short ends the one who looks into it.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.facts import File, Process

WINDOW_BYTES = 4 << 20
"""So much is in memory at a time."""

MOST_BYTES = 512 << 20
"""So much of a file is looked into, its holes not counted: the largest tool has 381 MB."""


class ChangedError(SensorError):
    """A file is another one than was meant, or was changed while it was read."""


def held(process: Process) -> int | None:
    """Hold the file that a process runs, None where it has ended.

    Asks nothing of the file system that the file is in, which may not answer.
    """
    return _held(f"/proc/{process.pid}/exe", 0)


def held_at(path: str) -> int | None:
    """Hold what lies at a path now, None where nothing does; takes as long as it takes."""
    return _held(path, os.O_NOFOLLOW)


def _held(path: str, flags: int) -> int | None:
    try:
        return os.open(path, os.O_PATH | os.O_CLOEXEC | flags)
    except OSError:
        return None


def windows(handle: int, file: File) -> Iterator[bytes]:
    """Read a file that is held, window by window, from its beginning.

    Raises ChangedError where it is not ``file``, or is not any more at the end;
    OSError where it cannot be read.
    """
    check(handle, file)  # before it is opened: who knows what it is
    reader = os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        os.posix_fadvise(reader, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        left, end = MOST_BYTES, 0
        while left > 0 and (at := _after_hole(reader, end)) is not None:
            window = os.pread(reader, min(WINDOW_BYTES, left), at)
            if not window:
                break
            yield window
            left -= len(window)
            end = at + len(window)
        check(reader, file)
    finally:
        os.close(reader)


def check(handle: int, file: File) -> None:
    """Raise ChangedError where a file that is held is not ``file``, or not any more."""
    now = os.fstat(handle)
    if (now.st_ino, now.st_ctime_ns, now.st_size) != (file.ino, file.ctime_ns, file.size_bytes):
        raise ChangedError("the file was changed, or is another one")


def _after_hole(reader: int, at: int) -> int | None:
    """Give where data goes on: a hole costs nobody a byte, and may be as long as one likes."""
    try:
        return os.lseek(reader, at, os.SEEK_DATA)
    except OSError as problem:
        if problem.errno == errno.ENXIO:  # none behind it
            return None
        return at  # a file system that knows of no holes
