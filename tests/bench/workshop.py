# SPDX-License-Identifier: Apache-2.0
"""What the figures share: a folder, the drivers in it, and how much time there is."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SOURCES = Path(__file__).parent / "drivers"

Argument = str | Path


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds on the clock, and of a CPU, of a process and all its children."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Workshop:
    """A folder on tmpfs for drivers and what they work on; ``quick`` asks for less of all.

    ``full`` asks for all homes of an audit, which takes minutes and a disk.
    """

    folder: Path
    quick: bool
    full: bool = False

    def times(self, full: int, quick: int) -> int:
        """Choose how often to do something."""
        return quick if self.quick else full

    def driver(self, operation: str, name: str | None = None) -> Path:
        """Give the static driver of ``operation``, as a file called ``name`` if asked."""
        built = self.folder / operation
        if not built.exists():
            source = _SOURCES / f"{operation}.c"
            subprocess.run(["cc", "-static", "-O2", "-Wall", "-o", built, source], check=True)
        if name is None:
            return built
        copy = self.folder / f"{operation}-as" / name
        if not copy.exists():
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(built, copy)
        return copy


@contextmanager
def workshop(*, quick: bool, full: bool = False) -> Iterator[Workshop]:
    """Open a workshop; it is taken down at the end, with all that was made in it."""
    with tempfile.TemporaryDirectory(prefix="agent-sensor-bench-") as place:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
        try:
            yield Workshop(Path(place), quick, full)
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


def timed(argv: Sequence[Argument]) -> Took:
    """Run a program to its end. Raises CalledProcessError where it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(argv))
    return Took(wall_s, usage.ru_utime + usage.ru_stime)
