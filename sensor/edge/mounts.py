# SPDX-License-Identifier: Apache-2.0
"""Mounts: where cgroup2 and bpffs are, and a bpffs that nobody else sees."""

from __future__ import annotations

import ctypes
import errno
import os
import re
from pathlib import Path

from sensor.errors import BadInputError, NotPermittedError, UnsupportedError

BPFFS = Path("/sys/fs/bpf")

_DISKS = frozenset({"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs",
                    "zfs"})  # fmt: skip

# include/uapi/linux/sched.h, include/uapi/linux/mount.h
_CLONE_NEWNS = 0x00020000
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000


def _mounts() -> dict[Path, str]:
    """Map each mount point to the file system type that was mounted there last."""
    text = Path("/proc/self/mounts").read_bytes().decode("utf-8", "surrogateescape")
    # Not splitlines(): only the newline is escaped there, and a user's own mount
    # may have any other character in its path.
    fields = [line.split(" ") for line in text.split("\n") if line]
    return {Path(_plain(point)): kind for _, point, kind, *_ in fields}


def elsewhere() -> dict[str, str]:
    """Map the mounts that are no disk of this host to their file system's type.

    What lies on a server, behind a program or in the kernel can take for ever to read.
    """
    return {str(point): kind for point, kind in _mounts().items() if kind not in _DISKS}


def _plain(octal: str) -> str:
    r"""Undo the escapes of /proc/self/mounts: blank, tab, newline and backslash as ``\NNN``."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), octal)


def cgroup2() -> Path:
    """Find the mount point of the cgroup2 hierarchy; on hybrid hosts it is not /sys/fs/cgroup.

    Raises UnsupportedError where none is mounted.
    """
    for point, kind in _mounts().items():
        if kind == "cgroup2":
            return point
    raise UnsupportedError(
        "no cgroup2 hierarchy is mounted, so connections cannot be hooked:"
        " mount one (mount -t cgroup2 none /sys/fs/cgroup) and start again"
    )


def scope(wanted: Path | None) -> Path:
    """Give the cgroup to look at: ``wanted``, or the root of the hierarchy.

    Raises BadInputError for what is no directory of a cgroup2 hierarchy.
    """
    top = cgroup2()
    if wanted is None:
        return top
    real = wanted.resolve()
    if not (real / "cgroup.procs").exists() or not real.is_relative_to(top):
        raise BadInputError(f"--scope {wanted}: no cgroup below {top}; take a directory from there")
    return real


def bpffs(wanted: Path = BPFFS) -> Path:
    """Give the bpffs that pins go to. Raises UnsupportedError where it is not mounted."""
    if _mounts().get(wanted) != "bpf":
        raise UnsupportedError(f"bpffs is not mounted at {wanted}: run mount -t bpf bpf {wanted}")
    return wanted


def every_bpffs() -> list[Path]:
    """Find all bpffs that are mounted."""
    return [point for point, kind in _mounts().items() if kind == "bpf"]


def _check(result: int, what: str) -> None:
    if result == 0:
        return
    number = ctypes.get_errno()
    message = f"{what}: {os.strerror(number)}"
    if number in {errno.EPERM, errno.EACCES}:
        raise NotPermittedError(f"{message}; run it as root (CAP_SYS_ADMIN)")
    raise UnsupportedError(
        f"{message}; the sensor needs sysfs at /sys and a kernel with CONFIG_BPF_SYSCALL=y"
    )


def private_bpffs() -> Path:
    """Move this process to a mount namespace of its own, with a fresh bpffs in it.

    Whatever is pinned there is gone when the last process in the namespace
    is, however it ends.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(_CLONE_NEWNS), "cannot make a mount namespace")
    _check(
        libc.mount(None, b"/", None, ctypes.c_ulong(_MS_REC | _MS_PRIVATE), None),
        "cannot make the mounts of the new namespace private",
    )
    _check(
        libc.mount(b"bpf", os.fsencode(BPFFS), b"bpf", ctypes.c_ulong(0), None),
        f"cannot mount a bpffs at {BPFFS}",
    )
    return BPFFS
