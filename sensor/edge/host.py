# SPDX-License-Identifier: Apache-2.0
"""The host's own words: boot id, name, users, cgroups. Implements ``core.host.Host``."""

from __future__ import annotations

import ctypes
import grp
import os
import socket
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.core.facts import Process

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_REMEMBERED = 1024
# include/linux/exportfs.h: a handle that is just the 64-bit id of a kernfs node.
_FILEID_KERNFS = 0xFE


# include/linux/proc_ns.h: PROC_PID_INIT_INO
_INITIAL_PID_NAMESPACE = f"pid:[{0xEFFFFFFC}]"


class _Handle(ctypes.Structure):
    """``struct file_handle`` of open_by_handle_at(2) for kernfs."""

    _fields_ = (("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("id", ctypes.c_uint64))


class LocalHost:
    """The host that we run on. ``top`` is the mount point of its cgroup2 hierarchy.

    ``user`` gives the name of a uid, and does not keep its caller waiting.
    """

    def __init__(self, top: Path, user: Callable[[int], str | None] = lambda _: None) -> None:
        self._top = top
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._hierarchy = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.boot_id = _BOOT_ID.read_text("ascii").strip()
        self.name = socket.gethostname()
        self.user = user
        self.cgroup = lru_cache(_REMEMBERED)(self._cgroup)

    @property
    def wall_offset_ns(self) -> int:
        """Wall clock minus CLOCK_BOOTTIME, read anew: the clock may be set at any time."""
        return time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def _cgroup(self, cgroup_id: int) -> str | None:
        handle = _Handle(ctypes.sizeof(ctypes.c_uint64), _FILEID_KERNFS, cgroup_id)
        fd = self._libc.open_by_handle_at(self._hierarchy, ctypes.byref(handle), os.O_PATH)
        if fd < 0:
            return None
        try:
            path = os.fsencode(Path(f"/proc/self/fd/{fd}").readlink())
        finally:
            os.close(fd)
        below = path.removeprefix(os.fsencode(self._top))
        return below.decode("utf-8", "backslashreplace") or "/"

    def in_container(self, process: Process) -> bool:
        """Compare the process's pid namespace with the initial one."""
        try:
            namespace = Path(f"/proc/{process.pid}/ns/pid").readlink()
        except OSError:
            return False
        return os.fspath(namespace) != _INITIAL_PID_NAMESPACE


def group_id(name: str) -> int | None:
    """Give the id of a group, None where the host has none of this name."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None
