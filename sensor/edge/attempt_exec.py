# SPDX-License-Identifier: Apache-2.0
"""A program that executes a file in one of several ways, and says what came of it.

Run by its path, with nothing but Python's own library: it stands in a scratch
cgroup, and takes no part of the sensor there. On standard input it is given
JSON: ``how``, ``file``, ``argv``, ``env``, ``name``, ``folder``. It says JSON:
``ended`` (an error or signal of the execution), ``lacks``, ``pids``.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import shutil
import signal
import struct
import sys
import threading
from typing import TYPE_CHECKING, NoReturn, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable

FLOOD = 200
"""Executions at once: enough to keep readers busy, and soon over."""

# include/uapi/linux/prctl.h, sched.h, mount.h, fcntl.h; arch/*/include/asm/unistd.h
_PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 15, 36
_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x00020000, 0x1000, 0x4000, 0x40000
_EXECVEAT = {"x86_64": 322, "aarch64": 281}
_LACKING = {errno.ENOSYS, errno.ENODEV}
# arch/x86/entry/syscalls/syscall_32.tbl; include/uapi/asm-generic/mman-common.h, asm/mman.h
_GETPID_32, _EXECVE_32 = 20, 11
_RWX, _PRIVATE_LOW, _ROOM_BYTES = 7, 0x2 | 0x20 | 0x40, 1 << 16


class Spec(TypedDict):
    """What to do."""

    how: str
    file: str
    argv: list[str]
    env: dict[str, str]
    name: str
    folder: str


class Report:
    """A pipe on which everybody who tries says who it is, and why it could not."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC)

    def tell(self, word: str, value: object) -> None:
        """Say one thing."""
        os.write(self._writer, f"{word} {value}\n".encode())

    def heard(self) -> list[list[str]]:
        """Give what was said, when all who could say something have ended."""
        os.close(self._writer)
        with open(self._reader, encoding="utf-8") as said:  # noqa: PTH123  # a descriptor
            return [line.rstrip("\n").split(" ", 1) for line in said]


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _execve(spec: Spec, _report: Report) -> None:
    os.execve(spec["file"], spec["argv"], spec["env"])  # noqa: S606  # no shell


def _disguised(spec: Spec, report: Report) -> None:
    _libc().prctl(_PR_SET_NAME, b"make", 0, 0, 0)
    _execve({**spec, "argv": ["make", *spec["argv"][1:]]}, report)


def _spawned(spec: Spec, report: Report) -> None:
    pid = os.posix_spawn(spec["file"], spec["argv"], spec["env"])
    report.tell("pid", pid)
    report.tell("ended", _signal(os.waitpid(pid, 0)[1]))


def _threaded(spec: Spec, report: Report) -> None:
    def execute() -> None:
        _told(_execve, spec, report)

    thread = threading.Thread(target=execute)
    thread.start()
    thread.join()


def _execveat(spec: Spec, _report: Report) -> None:
    number = _EXECVEAT.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, f"no number of execveat is known for {platform.machine()}")
    folder, base = os.path.split(spec["file"])
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    env = [f"{key}={value}" for key, value in spec["env"].items()]
    _libc().syscall(number, at, base.encode(), _array(spec["argv"]), _array(env), 0)
    _checked(-1)


def _array(texts: list[str]) -> ctypes.Array[ctypes.c_char_p]:
    return (ctypes.c_char_p * (len(texts) + 1))(*(text.encode() for text in texts), None)


def _by_descriptor(descriptor: int, spec: Spec) -> None:
    os.execve(descriptor, spec["argv"], spec["env"])  # noqa: S606  # no shell


def _fexecve(spec: Spec, _report: Report) -> None:
    _by_descriptor(os.open(spec["file"], os.O_RDONLY), spec)


def _memfd(spec: Spec, _report: Report) -> None:
    made = os.memfd_create(os.path.basename(spec["file"]))  # noqa: PTH119  # no pathlib here
    with open(spec["file"], "rb") as source:  # noqa: PTH123
        os.write(made, source.read())
    _by_descriptor(made, spec)


def _deleted(spec: Spec, _report: Report) -> None:
    folder = os.path.join(spec["folder"], "deleted")  # noqa: PTH118
    os.mkdir(folder)  # noqa: PTH102
    copy = os.path.join(folder, spec["name"])  # noqa: PTH118
    shutil.copy(spec["file"], copy)
    opened = os.open(copy, os.O_RDONLY)
    os.unlink(copy)  # noqa: PTH108
    _by_descriptor(opened, spec)


def _bound(spec: Spec, report: Report) -> None:
    alias = os.path.join(spec["folder"], "alias")  # noqa: PTH118
    with open(alias, "wb"):  # noqa: PTH123
        pass
    libc = _libc()
    _checked(libc.unshare(_CLONE_NEWNS))
    bind = ctypes.c_ulong(_MS_BIND)
    _checked(libc.mount(os.fsencode(spec["file"]), os.fsencode(alias), None, bind, None))
    _execve({**spec, "file": alias, "argv": [alias, *spec["argv"][1:]]}, report)


def _chrooted(spec: Spec, report: Report) -> None:
    root = os.path.join(spec["folder"], "root")  # noqa: PTH118
    os.mkdir(root)  # noqa: PTH102
    libc = _libc()
    _checked(libc.unshare(_CLONE_NEWNS))
    private, bind = ctypes.c_ulong(_MS_REC | _MS_PRIVATE), ctypes.c_ulong(_MS_BIND | _MS_REC)
    _checked(libc.mount(None, b"/", None, private, None))  # else all would have it
    _checked(libc.mount(b"/", os.fsencode(root), None, bind, None))
    os.chroot(root)
    _execve(spec, report)


def _overlaid(spec: Spec, report: Report) -> None:
    parts = {part: os.path.join(spec["folder"], part) for part in ("upper", "work", "merged")}  # noqa: PTH118
    for part in parts.values():
        os.mkdir(part)  # noqa: PTH102
    lower, base = os.path.split(spec["file"])
    options = f"lowerdir={lower},upperdir={parts['upper']},workdir={parts['work']}"
    libc = _libc()
    _checked(libc.unshare(_CLONE_NEWNS))
    merged, none = parts["merged"], ctypes.c_ulong(0)
    _checked(libc.mount(b"overlay", os.fsencode(merged), b"overlay", none, options.encode()))
    _execve({**spec, "file": os.path.join(merged, base)}, report)  # noqa: PTH118


class _Low:
    """Memory below 4 GiB, where 32-bit system calls find what they are given."""

    def __init__(self) -> None:
        libc = _libc()
        libc.mmap.restype = ctypes.c_void_p
        at = libc.mmap(None, ctypes.c_size_t(_ROOM_BYTES), _RWX, _PRIVATE_LOW, -1, ctypes.c_long(0))
        if at in {None, ctypes.c_void_p(-1).value}:
            raise OSError(errno.ENOSYS, "no memory that a 32-bit system call can use")
        self._at, self._used = int(at), 64  # in front of it is the code

    def put(self, content: bytes) -> int:
        """Give the address of some bytes."""
        at = self._at + self._used
        ctypes.memmove(at, content, len(content))
        self._used += len(content)
        return at

    def call(self, number: int, *arguments: int) -> int:
        """Make a system call: push rbx; mov eax, ebx, ecx, edx; int 0x80; pop rbx; ret."""
        words = zip(b"\xb8\xbb\xb9\xba", (number, *arguments), strict=False)
        moves = b"".join(struct.pack("=BI", *word) for word in words)
        code = b"\x53" + moves + b"\xcd\x80\x5b\xc3"
        ctypes.memmove(self._at, code, len(code))
        return int(ctypes.CFUNCTYPE(ctypes.c_int)(self._at)())


def _compat(spec: Spec, _report: Report) -> None:
    if platform.machine() != "x86_64":
        raise OSError(errno.ENOSYS, f"no 32-bit system calls are known for {platform.machine()}")
    low = _Low()
    if os.fork() == 0:
        os._exit(low.call(_GETPID_32) != os.getpid())  # SIGSEGV without CONFIG_IA32_EMULATION
    if os.wait()[1]:
        raise OSError(errno.ENOSYS, "the kernel has no 32-bit system calls")
    env = [f"{key}={value}" for key, value in spec["env"].items()]
    file, argv, envp = (
        [low.put(text.encode() + b"\0") for text in texts]
        for texts in ([spec["file"]], spec["argv"], env)
    )
    lists = [low.put(struct.pack(f"={len(some) + 1}I", *some, 0)) for some in (argv, envp)]
    number = -low.call(_EXECVE_32, *file, *lists)
    raise OSError(number, os.strerror(number))


def _detached(spec: Spec, report: Report) -> None:
    os.setsid()
    if os.fork() == 0:
        if os.fork() == 0:
            report.tell("pid", os.getpid())
            _told(_execve, spec, report)
        os._exit(0)


def _flood(spec: Spec, report: Report) -> None:
    for _ in range(FLOOD):
        pid = os.fork()
        if pid == 0:
            report.tell("pid", os.getpid())
            _told(_execve, spec, report)
            os._exit(0)


_HOWS: dict[str, Callable[[Spec, Report], None]] = {
    "execve": _execve, "disguised": _disguised, "spawned": _spawned, "threaded": _threaded,
    "execveat": _execveat, "fexecve": _fexecve, "memfd": _memfd, "deleted": _deleted,
    "bound": _bound, "overlaid": _overlaid, "chrooted": _chrooted, "compat": _compat,
    "detached": _detached, "flood": _flood,
}  # fmt: skip
HOWS = frozenset(_HOWS)


def _told(how: Callable[[Spec, Report], None], spec: Spec, report: Report) -> None:
    """Try, and say what kept it from being."""
    try:
        how(spec, report)
    except OSError as problem:
        number = problem.errno or 0
        lacks = number in _LACKING
        report.tell("lacks" if lacks else "ended", str(problem) if lacks else _name(number))


def _name(number: int) -> str:
    return errno.errorcode.get(number, str(number))


def _signal(status: int) -> str:
    return signal.Signals(status & 0x7F).name if os.WIFSIGNALED(status) else ""


def main() -> NoReturn:
    """Try once, wait for all that came of it, and say so."""
    spec: Spec = json.load(sys.stdin)
    # What a double fork leaves behind comes back here.
    _libc().prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    report = Report()
    pid = os.fork()
    if pid == 0:
        report.tell("pid", os.getpid())
        _told(_HOWS[spec["how"]], spec, report)
        os._exit(0)
    ends = []
    while True:
        try:
            ends.append(_signal(os.wait()[1]))
        except ChildProcessError:
            break
    said = report.heard()
    told = {word: value for word, value in said if value}
    ended = [end for end in ends if end]
    answer = {
        "ended": told.get("ended") or next(iter(ended), None),
        "lacks": told.get("lacks"),
        "pids": [int(value) for word, value in said if word == "pid"],
    }
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
