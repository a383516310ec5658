# SPDX-License-Identifier: Apache-2.0
"""One line on the terminal of a process, the way write(1) does it.

The terminal is opened as the process sees it, through its own root; no link on
the way is followed. It has to be the terminal of that process (tty_nr in
/proc/PID/stat), to belong to whom the line is for, and to take lines of its
group (`mesg n` takes that away).
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.quote import one_line, quote
from sensor.errors import NotPermittedError, SensorError

if TYPE_CHECKING:
    from collections.abc import Collection

LINE_COLUMNS = 400
"""Of text on one line; a message of policy and a reference fit in."""

_PROC = Path("/proc")
_NAME = re.compile(r"pts/([0-9]{1,7})")
_TTY = 4  # field of /proc/PID/stat behind the command's closing bracket (man 5 proc)
_WALK = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: neither a line without a carrier nor a stopped screen holds us up.
_WRITE = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


def show(pid: int, name: str, text: str, *, owners: Collection[int]) -> None:
    """Write a line on the terminal ``name``, like "pts/3", of a process.

    Raises NotPermittedError where the terminal is not that of the process,
    belongs to none of the ``owners`` (uids) or takes no messages, SensorError
    where it is gone or takes nothing now.
    """
    match = _NAME.fullmatch(name)
    if not match:
        raise SensorError(f"terminal {quote(name)}: only lines like pts/3 are written to")
    try:
        handle = _opened(pid, match[1])
    except OSError as problem:
        kind = NotPermittedError if isinstance(problem, PermissionError) else SensorError
        raise kind(f"terminal {name} of process {pid}: {problem.strerror}; not told") from problem
    try:
        _check(handle, pid, name, owners)
        _write(handle, text)
    except OSError as problem:
        raise SensorError(f"terminal {name}: {problem.strerror}; not told") from problem
    finally:
        os.close(handle)


def _opened(pid: int, number: str) -> int:
    """Open the terminal step by step, so that no link in a foreign root leads elsewhere."""
    with ExitStack() as stack:
        folder = os.open(_PROC / str(pid) / "root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, folder)
        for step in "dev", "pts":
            folder = os.open(step, _WALK, dir_fd=folder)
            stack.callback(os.close, folder)
        return os.open(number, _WRITE, dir_fd=folder)


def _check(handle: int, pid: int, name: str, owners: Collection[int]) -> None:
    found = os.fstat(handle)
    if not stat.S_ISCHR(found.st_mode) or found.st_rdev != _device(pid):
        raise NotPermittedError(f"terminal {name} is not that of process {pid}; not told")
    if found.st_uid not in owners:
        raise NotPermittedError(f"terminal {name} belongs to the uid {found.st_uid}; not told")
    if not found.st_mode & stat.S_IWGRP:  # as root we might be let in all the same
        raise NotPermittedError(f"terminal {name} takes no messages (mesg n); not told")


def _device(pid: int) -> int:
    """Give the device number of a process's terminal, in the kernel's old encoding."""
    raw = (_PROC / str(pid) / "stat").read_bytes()
    number = int(raw[raw.rindex(b")") + 2 :].split()[_TTY])
    # include/linux/kdev_t.h: new_encode_dev
    return os.makedev(number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00)


def _write(handle: int, text: str) -> None:
    """Write what fits at once, on a line of its own, as the cursor may be anywhere."""
    said = one_line(text, LINE_COLUMNS)
    os.write(handle, f"\r\n{said}\r\n".encode("utf-8", "backslashreplace"))
