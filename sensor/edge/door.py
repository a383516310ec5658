# SPDX-License-Identifier: Apache-2.0
"""The door to the stream: a Unix stream socket, and the kernel's word on who comes (unix(7)).

The socket's mode keeps out whoever is neither root nor in its group. What the
kernel says of each peer (SO_PEERCRED, SO_PEERGROUPS) cannot be forged, and
holds also where someone has changed the mode.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from typing import TYPE_CHECKING

from sensor.errors import SensorError

if TYPE_CHECKING:
    from pathlib import Path

SOCKET_MODE = 0o660
RUN_DIR_MODE = 0o750

_SO_PEERGROUPS = 59  # include/uapi/asm-generic/socket.h; Linux 4.13
_UCRED = struct.Struct("iII")  # struct ucred of unix(7): pid, uid, gid
_GID = struct.Struct("I")
_MOST_GROUPS_BYTES = 1024  # what socket.getsockopt takes at most: 256 groups
_WAITING = 64  # peers that the kernel queues; as many as the hub would take


class Door:
    """Listens at ``path``, for root and for the group with the id ``group`` (None: root alone).

    Raises SensorError where that cannot be, above all when a daemon does already.
    """

    def __init__(self, path: Path, *, group: int | None) -> None:
        self._path = path
        self._group = group
        try:
            self._socket = _listen(path, -1 if group is None else group)
            self._inode = path.stat().st_ino
        except OSError as problem:
            raise SensorError(f"cannot listen at {path}: {problem}: check --run-dir") from problem

    def fileno(self) -> int:
        """Return what becomes readable when someone comes."""
        return self._socket.fileno()

    def accept(self) -> tuple[socket.socket, int, int, bool] | None:
        """Return the next peer: its socket, pid, uid, and whether it may read; None for none.

        Raises SensorError when there is no file descriptor left for it.
        """
        try:
            peer, _ = self._socket.accept()
        except BlockingIOError:
            return None
        except OSError as problem:
            raise SensorError(f"cannot accept at {self._path}: {problem}") from problem
        peer.setblocking(False)  # noqa: FBT003  # the socket's own interface
        pid, uid, gid = _UCRED.unpack(
            peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        )
        return peer, pid, uid, uid == 0 or self._group in {gid, *_groups(peer)}

    def close(self) -> None:
        """Take the socket away, unless a successor has put its own there."""
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()


def _groups(peer: socket.socket) -> list[int]:
    """Return a peer's supplementary groups; none when they are too many, so that it is refused.

    Such a user comes in with the group as its primary one: ``sg agent-sensor``.
    """
    try:
        raw = peer.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_GROUPS_BYTES)
    except OSError:
        return []
    return [gid for (gid,) in _GID.iter_unpack(raw)]


def _listen(path: Path, group: int) -> socket.socket:
    """Bind, and give the socket to root and the group. No one else can connect meanwhile."""
    if not path.parent.exists():
        path.parent.mkdir(mode=RUN_DIR_MODE)
    _open_to(path.parent, group)
    _take_away_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o777 & ~0o600)
        try:
            listener.bind(os.fspath(path))
        finally:
            os.umask(before)
        os.chown(path, -1, group)
        path.chmod(SOCKET_MODE)
        listener.listen(_WAITING)
        listener.setblocking(False)  # noqa: FBT003  # the socket's own interface
    except OSError:
        listener.close()
        raise
    return listener


def _open_to(folder: Path, group: int) -> None:
    """Let the group in, if the folder is as the sensor makes it: of anybody else's it stays out."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        there = os.fstat(handle)
        if there.st_uid == os.geteuid() and stat.S_IMODE(there.st_mode) == RUN_DIR_MODE:
            os.fchown(handle, -1, group)
    finally:
        os.close(handle)


def _take_away_stale(path: Path) -> None:
    """Remove what a predecessor left that was killed."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # noqa: FBT003  # the socket's own interface
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
        except BlockingIOError:  # it listens, and its queue is full
            raise SensorError(_taken(path)) from None
        else:
            raise SensorError(_taken(path))


def _taken(path: Path) -> str:
    return f"a daemon listens at {path} already: stop it first, or give another --run-dir"
