# SPDX-License-Identifier: Apache-2.0
"""A cgroup of the test's own: what the sensor under test watches, and nothing else."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self, TypedDict, Unpack

from support.drivers import built
from support.patience import SOON_S

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from types import TracebackType

_numbers = itertools.count(1)

Argument = str | bytes | Path


class PopenOptions(TypedDict, total=False):
    """The options of ``subprocess.Popen`` that a test may set."""

    env: Mapping[str, str] | Mapping[bytes, bytes]
    cwd: str | bytes | Path
    stdin: int | IO[bytes]
    stdout: int | IO[bytes]
    stderr: int | IO[bytes]
    pass_fds: Collection[int]
    start_new_session: bool


def cgroup2_root() -> Path:
    """Find the host's cgroup2 mount; hybrid hosts have it in a folder of their own."""
    for mount in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, where, kind, *_ = mount.split()
        if kind == "cgroup2":
            return Path(where)
    raise LookupError("no cgroup2 in /proc/self/mounts; mount -t cgroup2 none /sys/fs/cgroup")


class Scope:
    """A fresh cgroup2 folder for the length of a ``with``; what is left in it then is killed."""

    def __init__(self, parent: Path | None = None) -> None:
        name = f"agent-sensor-test-{os.getpid()}-{next(_numbers)}"
        self.path = (parent or cgroup2_root()) / name

    def __enter__(self) -> Self:
        self.path.mkdir()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        deadline = time.monotonic() + SOON_S
        while not self._removed():
            assert time.monotonic() < deadline, f"{self.path} still holds {self.procs()}"
            time.sleep(0.01)

    def run(
        self, argv: Sequence[Argument], **options: Unpack[PopenOptions]
    ) -> subprocess.Popen[bytes]:
        """Start ``argv`` with the new process in the cgroup before it executes ``argv[0]``.

        A program joins and becomes ``argv[0]``: no code of a test process, which
        has threads, runs between fork and exec.
        """
        join = [built() / "join", self.path / "cgroup.procs"]
        return subprocess.Popen([*join, *argv], **options)

    def procs(self) -> list[int]:
        """List the pids in this cgroup itself, without those in its children."""
        return _procs(self.path)

    def _removed(self) -> bool:
        """Kill and remove from the leaves up; whether nothing is left."""
        folders = [Path(top) for top, _, _ in os.walk(self.path, topdown=False)]
        for folder in folders:
            for pid in _procs(folder):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with suppress(OSError):
                folder.rmdir()
        return not self.path.exists()


def _procs(folder: Path) -> list[int]:
    """List the pids in ``folder``; none where it is gone."""
    try:
        text = (folder / "cgroup.procs").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(pid) for pid in text.split()]
