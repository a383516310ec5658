# SPDX-License-Identifier: Apache-2.0
"""Processes that were there before the probes: /proc, read late and marked so.

Start times here have the 10 ms steps of /proc/PID/stat. What ended while it
was read is left out.
"""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.facts import Exec, File, Process, Signal
from sensor.core.spelling import spelling

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

PROC = Path("/proc")
# As much as the probes take: ARGV_BYTES of probes/events.h.
ARGV_BYTES = 8192
ENVIRON_BYTES = 262_144
"""So much of an environment is looked through: twice ARG_MAX of include/uapi/linux/limits.h."""

ANCESTORS = 12
"""So far up is looked for who started a process."""

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_TICK_NS = 1_000_000_000 // _TICKS_PER_S
_UNSET = 0xFFFFFFFF
# Fields of /proc/PID/stat behind the command's closing bracket (man 5 proc).
_STATE, _PPID, _TTY, _FLAGS, _USER, _SYSTEM, _THREADS, _START = 0, 1, 4, 6, 11, 12, 17, 19
# include/linux/sched.h: PF_EXITING, set before the kernel tells of the end.
_EXITING = 0x4
_MINOR_BITS = 20
# How at(1) writes a variable into a job (at.c, writefile).
_EXPORTED = re.compile(rb"^(\w+)=.*; export \1$", re.MULTILINE)
# Minor number of the first serial line (Documentation/admin-guide/devices.txt, like the majors).
_FIRST_SERIAL = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """A process as the kernel's task list has it: enough to build lineage from."""

    process: Process
    ppid: int
    tty: str | None


def entry(pid: int) -> Entry:
    """Read one process. Raises OSError where it has ended."""
    fields = _stat(pid)
    return Entry(
        process=Process(pid, int(fields[_START]) * _TICK_NS),
        ppid=int(fields[_PPID]),
        tty=terminal(int(fields[_TTY])),
    )


def is_same(entry: Entry, process: Process) -> bool:
    """Tell whether an entry is of a process that is known by a finer time."""
    ticks = (one.started_ns // _TICK_NS for one in (entry.process, process))
    return entry.process.pid == process.pid and len(set(ticks)) == 1


def lives(process: Process) -> bool:
    """Tell whether a process runs; one whose last thread is on its way out does not."""
    try:
        fields = _stat(process.pid)
    except OSError:
        return False
    if int(fields[_START]) != process.started_ns // _TICK_NS:
        return False  # the pid is somebody else's by now
    return int(fields[_THREADS]) > 1 or not int(fields[_FLAGS]) & _EXITING


def worked_s(pid: int) -> float:
    """Give the seconds of CPU that a process has had. Raises OSError where it has ended."""
    fields = _stat(pid)
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS_PER_S


def _stat(pid: int) -> list[bytes]:
    """Give the fields behind the command, which may hold brackets itself."""
    stat = (PROC / str(pid) / "stat").read_bytes()
    return stat[stat.rindex(b")") + 2 :].split()


def terminal(device: int) -> str | None:
    """Name a terminal by its device number as /proc/PID/stat has it; None for no known one."""
    minor = device & 0xFF | device >> 12 & 0xFFF00
    match device >> 8 & 0xFFF:
        case 136:  # Unix98 pseudo-terminals
            return f"pts/{minor}"
        case 4:  # consoles, and serial lines behind them
            return f"tty{minor}" if minor < _FIRST_SERIAL else f"ttyS{minor - _FIRST_SERIAL}"
        case _:
            return None


def entries(scope: Path, *, top: Path) -> list[Entry]:
    """List the processes whose cgroup is ``scope`` or below, the oldest first.

    ``top`` is the mount point of the cgroup2 hierarchy.
    """
    found = []
    prefix = "/" if scope == top else f"/{_text(os.fsencode(scope.relative_to(top)))}/"
    for pid in (int(path.name) for path in PROC.iterdir() if path.name.isdigit()):
        try:
            if f"{cgroup(pid)}/".startswith(prefix):
                found.append(entry(pid))
        except OSError:
            continue
    return sorted(found, key=lambda e: (e.process.started_ns, e.process.pid))


def cgroup(pid: int) -> str | None:
    """Tell a process's place in the cgroup2 hierarchy, as a path from its root."""
    # Bytes: reading as text takes a carriage return in a cgroup's name for the end of a line.
    match = re.search(rb"^0::(.*)$", (PROC / str(pid) / "cgroup").read_bytes(), re.MULTILINE)
    return _text(match[1]) if match else None


def image(found: Entry, parent: Process) -> Exec | None:
    """Describe what a process runs now, as a late fact.

    None where it has ended, or is a kernel thread. The name as typed is gone,
    and argv is what the process says of itself today.
    """
    folder = PROC / str(found.process.pid)
    try:
        exe = os.fsencode((folder / "exe").readlink()).removesuffix(b" (deleted)")
        info = (folder / "exe").stat()
        argv = _argv(folder)
        cwd = os.fsencode((folder / "cwd").readlink())
        uid = _uid(folder)
    except OSError:
        return None
    words = argv[:ARGV_BYTES].removesuffix(b"\0").split(b"\0")
    return Exec(
        at_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
        process=found.process,
        parent=parent,
        root=found.process,
        signals=Signal(0),
        exe=_text(exe),
        name_typed=None,
        interpreter=None,
        argv=tuple(map(_text, words)),
        cwd=_text(cwd),
        uid=uid,
        loginuid=_loginuid(folder),
        tty=found.tty,
        cgroup_id=None,
        file=File(
            dev=os.major(info.st_dev) << _MINOR_BITS | os.minor(info.st_dev),
            ino=info.st_ino,
            ctime_ns=info.st_ctime_ns,
            size_bytes=info.st_size,
        ),
        fileless=info.st_nlink == 0,
        truncated=("argv",) if len(argv) > ARGV_BYTES else (),
        late=True,
        spelling=spelling(exe, cwd, None, words),
    )


def _argv(folder: Path) -> bytes:
    """Read the arguments, and one byte more than is shown where there are too many."""
    with (folder / "cmdline").open("rb") as file:
        return file.read(ARGV_BYTES + 1)


def user(pid: int) -> int:
    """Give the real uid of a process. Raises OSError where it has ended."""
    return _uid(PROC / str(pid))


def _uid(folder: Path) -> int:
    """Read the real uid, as the probes do; the folder belongs to the effective one."""
    match = re.search(rb"^Uid:\t(\d+)", (folder / "status").read_bytes(), re.MULTILINE)
    return int(match[1]) if match else _UNSET


def loginuid(pid: int) -> int | None:
    """Read who logged in of whom a process is; None where nobody did, or it is gone."""
    return _loginuid(PROC / str(pid))


def _loginuid(folder: Path) -> int | None:
    """Read who logged in; None where nobody did, or the kernel keeps no such record."""
    try:
        login = int((folder / "loginuid").read_bytes())
    except (OSError, ValueError):
        return None
    return None if login == _UNSET else login


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def _link(path: Path) -> str:
    return _text(os.fsencode(path.readlink()))


def variables(pid: int, wanted: Collection[str]) -> tuple[str, ...]:
    """Name those of the wanted variables that a process was started with; values are let go of.

    Raises OSError where it has ended.
    """
    with (PROC / str(pid) / "environ").open("rb") as file:
        pairs = file.read(ENVIRON_BYTES).split(b"\0")
    names = dict.fromkeys(_text(pair.partition(b"=")[0]) for pair in pairs)
    return tuple(name for name in names if name in wanted)


def job_variables(pid: int, wanted: Collection[str]) -> tuple[str, ...]:
    """Name those of the wanted variables that a job of at(1) sets: the shell of one reads it.

    Nothing but a regular file is opened. Raises OSError where the process has ended.
    """
    path = PROC / str(pid) / "fd" / "0"
    if not stat.S_ISREG(path.stat().st_mode):
        return ()
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        text = os.read(file, ENVIRON_BYTES) if stat.S_ISREG(os.fstat(file).st_mode) else b""
    finally:
        os.close(file)
    names = dict.fromkeys(map(_text, _EXPORTED.findall(text)))
    return tuple(name for name in names if name in wanted)


def ancestors(found: Entry) -> Iterator[Exec]:
    """Give the images of those that started a process, the nearest first, without init."""
    for _ in range(ANCESTORS):
        if found.ppid <= 1:
            return
        try:
            found = entry(found.ppid)
        except OSError:
            return
        if shown := image(found, Process(found.ppid, 0)):
            yield shown


def sockets(pid: int) -> Iterator[int]:
    """Give the inode numbers of the sockets that a process has open; none where it has ended."""
    with suppress(OSError):
        for path in list((PROC / str(pid) / "fd").iterdir()):
            with suppress(FileNotFoundError):  # that one was closed meanwhile
                if match := re.fullmatch(r"socket:\[(\d+)\]", _link(path)):
                    yield int(match[1])


def network_namespace(pid: int) -> str | None:
    """Name the network namespace of a process; None where it has ended."""
    try:
        return _link(PROC / str(pid) / "ns/net")
    except OSError:
        return None
