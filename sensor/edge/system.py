# SPDX-License-Identifier: Apache-2.0
"""The daemon's own folders, that there is one daemon to each, and its place in the queue."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.errors import BadInputError, SensorError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCKS = Path("/proc/locks")
_NICEST = 19
_NICE = 10
_RUN_MODE, _STATE_MODE = 0o750, 0o700


def humble() -> None:
    """Let others go first: a tenth of their share of a busy CPU, and little of a busy disk.

    Not SCHED_IDLE: where a build keeps all CPUs busy, that would not run at all. The
    I/O priority follows (ioprio_set(2): best effort, level 6).
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)


@contextmanager
def lock(run_dir: Path, state_dir: Path) -> Iterator[None]:
    """Hold both folders against every other daemon; they are made where they are missing.

    Raises SensorError where another daemon has one of them, BadInputError where
    one cannot be had. The kernel lets go when this process ends, however it does.
    """
    held = []
    try:
        for folder, mode in ((run_dir, _RUN_MODE), (state_dir, _STATE_MODE)):
            held.append(_hold(folder, mode))
        yield
    finally:
        for handle in held:
            os.close(handle)


def is_held(folder: Path) -> bool:
    """Tell whether somebody holds a folder by :func:`lock`."""
    with spared(folder) as is_free:
        return not is_free


@contextmanager
def spared(folder: Path) -> Iterator[bool]:
    """Keep everybody from holding a folder by :func:`lock`. False: somebody does already.

    Others may keep it likewise. A folder that is missing nobody holds, and it stays missing.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield True
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def holder(folder: Path) -> int | None:
    """Give the pid of whoever holds a folder by :func:`lock`; None where the kernel has no word.

    /proc/locks (proc(5)) has the numbers of the file system itself, which for a
    folder of btrfs or overlayfs are others than those of stat(2).
    """
    found = folder.stat()
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    for line in _LOCKS.read_text("ascii", "replace").splitlines():
        _, kind, _, _, pid, where, *_ = line.split()
        if (kind, where) == ("FLOCK", place):  # not ("->", …), who waits for one
            return int(pid)
    return None


def _hold(folder: Path, mode: int) -> int:
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as problem:
        raise BadInputError(f"{folder}: {problem.strerror}; choose another folder") from problem
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        os.close(handle)
        raise SensorError(
            f"another agent-sensor uses {folder}: stop it, or choose another folder"
        ) from problem
    return handle


def idle() -> None:
    """Let everything else on this host go first; where that is refused, be merely nice, or not."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICEST)
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
