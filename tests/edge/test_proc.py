# SPDX-License-Identifier: Apache-2.0
"""Processes that were there before, as /proc tells of them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.scope import Scope, cgroup2_root

from sensor.core.facts import Process
from sensor.edge import proc

if TYPE_CHECKING:
    from collections.abc import Iterator

CAT = shutil.which("cat") or ""
NOBODY = Process(0, 0)
KERNEL_THREADS = 2  # kthreadd; every kernel thread is its child
GONE = 2**22 + 1  # more than the kernel's largest pid, include/linux/threads.h


@contextmanager
def running(*argv: str | bytes | Path, cwd: bytes | Path | None = None) -> Iterator[int]:
    """Run a program, which echoes, until it answers; it runs for the length of the ``with``."""
    with subprocess.Popen(
        argv, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(b"\n")
            assert process.stdout.read(1) == b"\n"
            yield process.pid
        finally:
            process.kill()


@contextmanager
def inside(cgroup: Path) -> Iterator[int]:
    """Run a program in a cgroup for the length of the ``with``."""
    with running(CAT) as pid:
        (cgroup / "cgroup.procs").write_text(str(pid), "ascii")
        yield pid


def test_an_entry_has_the_start_and_the_parent() -> None:
    """The start is boot time in steps of 10 ms, which never lie ahead of the true one."""
    before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    with running(CAT) as pid:
        entry = proc.entry(pid)
    assert entry.process.pid == pid
    assert entry.ppid == os.getpid()
    assert -10_000_000 <= entry.process.started_ns - before < 5_000_000_000
    assert entry.process.started_ns % 10_000_000 == 0


def test_work_is_counted_in_seconds_of_cpu() -> None:
    """As much as the process itself is told, to a few ticks."""
    while time.process_time() < 0.05:
        pass
    assert proc.worked_s(os.getpid()) == pytest.approx(time.process_time(), abs=0.1)


def test_a_name_with_brackets_shifts_no_field(tmp_path: Path) -> None:
    """The command ends at the last bracket, whatever the process is called."""
    program = tmp_path / ") R 1 1 (x"
    shutil.copy(CAT, program)
    with running(program) as pid:
        assert proc.entry(pid).ppid == os.getpid()


def test_a_process_of_a_terminal_has_it() -> None:
    """The terminal has the name that /dev has it by."""
    outer, inner = os.openpty()
    with subprocess.Popen(["setsid", "--ctty", CAT], stdin=inner, stdout=inner) as process:
        try:
            os.write(outer, b"x\n")
            heard = b""
            while heard != b"x\r\nx\r\n":  # the terminal's echo, then the program's
                heard += os.read(outer, 1)
            tty = proc.entry(process.pid).tty
        finally:
            process.kill()
    assert tty == os.ttyname(inner).removeprefix("/dev/")
    os.close(outer)
    os.close(inner)


@pytest.mark.parametrize(
    ("major", "minor", "name"),
    [
        (0, 0, None),
        (4, 1, "tty1"),
        (4, 63, "tty63"),
        (4, 64, "ttyS0"),
        (136, 0, "pts/0"),
        (136, 255, "pts/255"),
        (136, 256, "pts/256"),
        (136, 70_000, "pts/70000"),
        (5, 1, None),
    ],
)
def test_a_terminal_is_named_by_its_number(major: int, minor: int, name: str | None) -> None:
    """The number is the kernel's: 12 bits of major between 8 and 12 of minor."""
    number = minor & 0xFF | major << 8 | (minor & ~0xFF) << 12
    assert proc.terminal(number) == name


def test_an_entry_is_told_from_its_pid_s_next_owner() -> None:
    """The kernel's time of a process lies in the tick that /proc has; another start does not."""
    entry = proc.entry(os.getpid())
    tick_ns = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    known = Process(entry.process.pid, entry.process.started_ns + tick_ns - 1)
    assert proc.is_same(entry, known)
    assert not proc.is_same(entry, Process(known.pid, known.started_ns + 1))
    assert not proc.is_same(entry, Process(known.pid + 1, known.started_ns))


def test_an_image_is_a_late_execution(tmp_path: Path) -> None:
    """It has what the process runs and where, and says that it was found late."""
    program = tmp_path / "claude"
    shutil.copy(CAT, program)
    parent = Process(os.getpid(), 1)
    with running(program, "-u", cwd=tmp_path) as pid:
        entry = proc.entry(pid)
        image = proc.image(entry, parent)
    assert image
    file = program.stat()
    assert image.late
    assert (image.process, image.root, image.parent) == (entry.process, entry.process, parent)
    assert (image.exe, image.argv, image.cwd) == (str(program), (str(program), "-u"), str(tmp_path))
    assert (image.name_typed, image.interpreter, image.cgroup_id) == (None, None, None)
    assert (image.uid, image.fileless) == (os.getuid(), False)
    assert image.file
    assert (image.file.ino, image.file.size_bytes) == (file.st_ino, file.st_size)
    assert image.file.dev == os.major(file.st_dev) << 20 | os.minor(file.st_dev)
    assert image.file.ctime_ns == file.st_ctime_ns


def test_bytes_that_are_no_text_are_shown_as_bytes(tmp_path: Path) -> None:
    """Names and arguments come out as text that can be written anywhere."""
    folder = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(folder)  # noqa: PTH102 - a name in bytes
    program = folder + b"/cl\xfeaude"
    shutil.copy(CAT, os.fsdecode(program))
    with running(program, b"-u", cwd=folder) as pid:
        image = proc.image(proc.entry(pid), NOBODY)
    assert image
    assert image.exe == f"{tmp_path}/\\xff/cl\\xfeaude"
    assert image.cwd == f"{tmp_path}/\\xff"
    assert image.argv[0] == image.exe


def test_a_removed_file_is_told_by_its_name(tmp_path: Path) -> None:
    """The kernel's remark is no part of the name; that the file is gone is a flag."""
    program = tmp_path / "claude"
    shutil.copy(CAT, program)
    with running(program) as pid:
        program.unlink()
        image = proc.image(proc.entry(pid), NOBODY)
    assert image
    assert (image.exe, image.fileless) == (str(program), True)


@pytest.mark.kernel
def test_a_process_belongs_to_its_real_user() -> None:
    """One that borrows the rights of another is still of the user who started it."""
    with running("setpriv", "--ruid=65534", "--", CAT) as pid:
        image = proc.image(proc.entry(pid), NOBODY)
    assert image
    assert image.uid == 65534


def test_what_has_ended_has_no_image() -> None:
    """Neither a process that nobody has waited for yet, nor one that is gone."""
    with subprocess.Popen([CAT], stdin=subprocess.PIPE) as process:
        entry = proc.entry(process.pid)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert proc.image(entry, NOBODY) is None
    assert proc.image(entry, NOBODY) is None
    with pytest.raises(OSError, match=str(GONE)):
        proc.entry(GONE)


def test_a_kernel_thread_has_no_image() -> None:
    """It runs no file."""
    if Path(f"/proc/{KERNEL_THREADS}/comm").read_text("utf-8") != "kthreadd\n":
        pytest.skip("a pid namespace has no kernel threads; run the test outside of one")
    assert proc.image(proc.entry(KERNEL_THREADS), NOBODY) is None


@pytest.mark.kernel
def test_entries_are_those_of_a_cgroup_and_below() -> None:
    """The oldest is first; a neighbour whose name begins the same is not among them."""
    with Scope() as scope, Scope(scope.path) as below:
        twin = Scope()
        twin.path = scope.path.with_name(f"{scope.path.name}-twin")
        with twin, inside(scope.path) as first, inside(below.path) as second, inside(twin.path):
            found = proc.entries(scope.path, top=cgroup2_root())
            everything = proc.entries(cgroup2_root(), top=cgroup2_root())
            neighbours = set(twin.procs())
    assert [entry.process.pid for entry in found] == [first, second]
    pids = {entry.process.pid for entry in everything}
    assert {os.getpid(), first, second, *neighbours} <= pids


@pytest.mark.kernel
def test_a_cgroup_with_an_odd_name_is_found() -> None:
    """A carriage return and bytes that are no text belong to the name."""
    with Scope() as scope:
        odd = Scope(scope.path)
        odd.path = scope.path / "a\r0::b\udcff"
        with odd, inside(odd.path) as pid:
            name = proc.cgroup(pid)
            found = proc.entries(odd.path, top=cgroup2_root())
    assert name == f"/{scope.path.name}/a\r0::b\\xff"
    assert [entry.process.pid for entry in found] == [pid]


def test_sockets_are_told_by_their_inodes() -> None:
    """Other descriptors are left out, and who has ended has none."""
    with socket.socket() as one, socket.socketpair()[0] as two, Path(CAT).open("rb"):
        wanted = {os.fstat(each.fileno()).st_ino for each in (one, two)}
        assert wanted <= set(proc.sockets(os.getpid()))
    assert not wanted & set(proc.sockets(os.getpid()))
    assert list(proc.sockets(GONE)) == []


def test_a_network_namespace_has_a_name() -> None:
    """Processes of one namespace give the same; who has ended has none."""
    here = proc.network_namespace(os.getpid()) or ""
    assert here.startswith("net:[")
    with running(CAT) as pid:
        assert proc.network_namespace(pid) == here
    assert proc.network_namespace(GONE) is None


def test_a_process_lives_until_its_end_and_not_as_a_zombie() -> None:
    """A pid that somebody else has by now is not the process either."""
    with running(CAT) as pid:
        process = proc.entry(pid).process
        assert proc.lives(process)
        assert not proc.lives(Process(pid, process.started_ns - 1))
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert not proc.lives(process)
    assert not proc.lives(process)


def test_a_process_outlives_its_first_thread() -> None:
    """A zombie in the task list whose other threads go on is none."""
    code = (
        "import ctypes, sys, threading\n"
        "def echo():\n"
        "    while line := sys.stdin.readline(): print(line, end='', flush=True)\n"
        "threading.Thread(target=echo).start()\n"
        "ctypes.CDLL(None).syscall(60, 0)\n"
    )
    if os.uname().machine != "x86_64":
        pytest.skip("x86_64")
    with running(sys.executable, "-c", code) as pid:
        while b"State:\tZ" not in Path(f"/proc/{pid}/status").read_bytes():
            time.sleep(0)
        assert proc.lives(proc.entry(pid).process)


def test_variables_are_given_by_name_if_they_are_wanted() -> None:
    """No value leaves the function that reads them."""
    child = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"WANTED": "hunter2", "OTHER": "x"},
    )  # fmt: skip
    try:
        assert child.stdout
        child.stdout.readline()
        assert proc.variables(child.pid, {"WANTED", "ABSENT"}) == ("WANTED",)
        (nearest, *_) = proc.ancestors(proc.entry(child.pid))
        assert nearest.process.pid == os.getpid()
    finally:
        child.communicate(b"\n", timeout=10)
    with pytest.raises(OSError):  # noqa: PT011  # whichever it is
        proc.variables(child.pid, {"WANTED"})


def test_init_has_no_ancestors() -> None:
    """Nor has who was started by a process that has ended meanwhile."""
    assert list(proc.ancestors(proc.entry(1))) == []
    orphan = proc.Entry(process=Process(7, 7), ppid=4194303, tty=None)
    assert list(proc.ancestors(orphan)) == []
