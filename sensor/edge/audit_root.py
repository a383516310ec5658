# SPDX-License-Identifier: Apache-2.0
"""A root: a folder that nothing is looked up outside of, be it the host's / or a mounted image.

Names are opened one by one, relative to an open folder and never through a
link; where a link has to be followed it is followed by hand, with ``/`` and
``..`` meaning the root's, as chroot(2) has them.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_LINKS = 40
"""As the kernel has it: include/linux/namei.h, MAXSYMLINKS."""

_STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_BLOCK_BYTES = 1 << 20
_NOTHING = frozenset({"", "."})


class Root:
    """An open root. Paths are relative to it, with or without a slash in front."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as problem:
            raise BadInputError(f"--root {path}: {problem.strerror}; name a folder") from problem

    def close(self) -> None:
        """Close it."""
        os.close(self._fd)

    def folder(self, path: str) -> int:
        """Open a folder for reading, and give its descriptor to the caller. Raises OSError."""
        with self._resolved(path) as (fd, name):
            return os.open(name, _FOLDER, dir_fd=fd)

    def stat(self, path: str) -> os.stat_result | None:
        """Look at what a path leads to inside the root; None for nothing."""
        try:
            with self._resolved(path) as (fd, name):
                return os.stat(name, dir_fd=fd, follow_symlinks=False)
        except OSError:
            return None

    def is_same(self, path: str) -> bool:
        """Tell whether a path leads to the root itself."""
        there, here = self.stat(path), os.fstat(self._fd)
        return there is not None and (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)

    def text(self, path: str, limit: int) -> str | None:
        """Read the beginning of a regular file; None where there is none."""
        try:
            with self._resolved(path) as (fd, name):
                return text(fd, name, limit)
        except OSError:
            return None

    @contextmanager
    def _resolved(self, path: str) -> Iterator[tuple[int, str]]:
        """Give the folder in which a path ends, and its last name, which is no link."""
        parts, trail, links, last = path.split("/")[::-1], _Trail(self._fd), 0, "."
        try:
            while parts:
                part = parts.pop()
                if part == "..":
                    trail.up()
                elif part not in _NOTHING and (target := _link(part, trail.fd)) is not None:
                    links += 1
                    if links > MOST_LINKS:
                        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                    if target.startswith("/"):
                        trail.top()
                    parts += target.split("/")[::-1]
                elif part not in _NOTHING and not _NOTHING.issuperset(parts):
                    trail.down(part)
                elif part not in _NOTHING:
                    last = part
            yield trail.fd, last
        finally:
            trail.close()


class _Trail:
    """The open folders from a root to where a path has led so far."""

    def __init__(self, root: int) -> None:
        self._fds = [os.dup(root)]

    @property
    def fd(self) -> int:
        """The innermost one."""
        return self._fds[-1]

    def down(self, name: str) -> None:
        """Go into a folder. Raises OSError."""
        self._fds.append(os.open(name, _STEP, dir_fd=self.fd))

    def up(self) -> None:
        """Go back to the folder around; the root is its own."""
        if len(self._fds) > 1:
            os.close(self._fds.pop())

    def top(self) -> None:
        """Go back to the root."""
        while len(self._fds) > 1:
            self.up()

    def close(self) -> None:
        """Close all."""
        for fd in self._fds:
            os.close(fd)


def _link(name: str, fd: int) -> str | None:
    """Read where a link points; None for what is no link. Raises OSError for what is not there."""
    try:
        return os.readlink(name, dir_fd=fd)
    except OSError as problem:
        if problem.errno == errno.EINVAL:
            return None
        raise


def target(fd: int, name: str) -> str | None:
    """Read where a link in an open folder points; None for what is no link or is gone."""
    with suppress(OSError):
        return os.readlink(name, dir_fd=fd)
    return None


@contextmanager
def opened(fd: int, name: str) -> Iterator[int | None]:
    """Open a regular file in an open folder, without changing its access time where we may.

    Gives None for all else: a device is not opened, a FIFO not waited for.
    """
    try:
        if not stat.S_ISREG(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
            yield None
            return
        file = _open(fd, name)
    except OSError:
        yield None
        return
    try:
        yield file if stat.S_ISREG(os.fstat(file).st_mode) else None
    finally:
        os.close(file)


def _open(fd: int, name: str) -> int:
    try:
        return os.open(name, _FILE | os.O_NOATIME, dir_fd=fd)
    except PermissionError:  # of a file of others, that takes CAP_FOWNER: open(2)
        return os.open(name, _FILE, dir_fd=fd)


def text(fd: int, name: str, limit: int) -> str | None:
    """Read the beginning of a regular file as text; None where it cannot be had."""
    with opened(fd, name) as file, suppress(OSError):
        if file is not None:
            parts = []
            while limit > 0 and (part := os.read(file, min(limit, _BLOCK_BYTES))):
                parts.append(part)
                limit -= len(part)
            return b"".join(parts).decode("utf-8", "replace")
    return None


def tail(fd: int, name: str, limit: int) -> bytes:
    """Read the end of a regular file; empty where it cannot be had."""
    with opened(fd, name) as file, suppress(OSError):
        if file is not None:
            return os.pread(file, limit, max(0, os.fstat(file).st_size - limit))
    return b""


def windows(fd: int, name: str, limit: int, size: int = 8 << 20) -> Iterator[bytes]:
    """Read a regular file piece by piece, not further than a limit.

    It is read, not mapped: a mapping of a file that somebody cuts short kills
    whoever touches it (SIGBUS).
    """
    with opened(fd, name) as file, suppress(OSError):
        while file is not None and limit > 0 and (part := os.read(file, min(size, limit))):
            yield part
            limit -= len(part)
