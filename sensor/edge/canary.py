# SPDX-License-Identifier: Apache-2.0
"""The canary: a process that tries, in a cgroup of its own, what is to be refused there.

Harmless where it is not refused: it runs `true`, and connects a datagram socket to
an address of the documentation range (RFC 5737), which sends nothing.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ADDRESS = "192.0.2.255"
PORT = 9  # discard
NAME = "sensor-canary"
"""Of the program, as the kernel knows it: at most 15 bytes (TASK_COMM_LEN)."""

_HARMLESS = "/bin/true"
_RESULT = struct.Struct("=i")
_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Tried:
    """How the execution was refused ("lsm", "kill"; None: it ran), and whether the connection was.

    ``problem`` is what kept the canary from trying.
    """

    execution: str | None
    connection: bool
    problem: str | None = None


def program(folder: Path) -> Path:
    """Give the program that is to be refused: `true` under the canary's name."""
    path = folder / NAME
    if not path.is_symlink() or str(path.readlink()) != _HARMLESS:  # one may be tried just now
        path.unlink(missing_ok=True)
        path.symlink_to(_HARMLESS)
    return path


def settle(cgroup: Path) -> int:
    """Make the canary's cgroup. Returns the id by which the kernel knows it."""
    try:
        cgroup.mkdir(mode=0o755, exist_ok=True)
        return cgroup.stat().st_ino
    except OSError as problem:
        raise SensorError(f"{cgroup}: {problem.strerror}; nothing can be proved there") from problem


def remove(cgroup: Path) -> None:
    """Take the cgroup away, if it is there and empty."""
    try:
        cgroup.rmdir()
    except OSError as problem:
        if problem.errno not in {errno.ENOENT, errno.ENOTDIR}:
            raise SensorError(
                f"{cgroup}: {problem.strerror}; remove it when it is empty"
            ) from problem


def tempt(cgroup: Path, wanted: Path, *, give_up: Callable[[], None]) -> Tried:
    """Try both, once. The caller has no threads: the canary is a fork of it.

    It calls ``give_up`` for its rights before it executes anything.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        _try(cgroup, wanted, writer, give_up)
    os.close(writer)
    try:
        said = _heard(reader)
    finally:
        os.close(reader)
        if not _ends(pid):
            os.kill(pid, signal.SIGKILL)
    return _judged(said, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _ends(pid: int) -> bool:
    """Tell whether the canary ends by itself, in a time that is more than enough."""
    handle = os.pidfd_open(pid)
    try:
        return _is_readable(handle)
    finally:
        os.close(handle)


def _is_readable(handle: int) -> bool:
    """Wait for a descriptor, but no longer than patience; select(2) takes none above 1,023."""
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    return bool(poller.poll(_PATIENCE_S * 1000))


def _try(cgroup: Path, wanted: Path, writer: int, give_up: Callable[[], None]) -> None:
    """Be the canary: say the errno of joining, of connecting, and of an execution that failed."""
    for step in _join, _connect, _execute:
        try:
            if step is _execute:
                give_up()
            step(cgroup, wanted)
            result = 0
        except OSError as problem:
            result = problem.errno or -1
        os.write(writer, _RESULT.pack(result))
        if result and step is _join:
            break
    os._exit(0)


def _join(cgroup: Path, _wanted: Path) -> None:
    (cgroup / "cgroup.procs").write_text(str(os.getpid()), "ascii")


def _connect(_cgroup: Path, _wanted: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect((ADDRESS, PORT))


def _execute(_cgroup: Path, wanted: Path) -> None:
    os.execve(wanted, [_HARMLESS], {})  # noqa: S606  # the program alone, no shell


def _heard(reader: int) -> list[int]:
    """Read to the end what the canary says; its pipe closes when it executes or ends."""
    said = b""
    while _is_readable(reader):
        piece = os.read(reader, 64)
        if not piece:
            break
        said += piece
    whole = len(said) - len(said) % _RESULT.size
    return [number for (number,) in _RESULT.iter_unpack(said[:whole])]


def _judged(said: list[int], status: int) -> Tried:
    match said:
        case [0, connected, *executed]:
            refused = connected == errno.EPERM
            if executed and executed[0] != errno.EPERM:
                why = f"{_HARMLESS} cannot be executed: {os.strerror(executed[0])}"
                return Tried(None, connection=refused, problem=why)
            if executed:
                return Tried("lsm", connection=refused)
            return Tried("kill" if status == -signal.SIGKILL else None, connection=refused)
        case [joined]:
            return Tried(None, connection=False, problem=f"its cgroup: {os.strerror(joined)}")
        case _:
            return Tried(None, connection=False, problem=f"it ended with {status} at once")
