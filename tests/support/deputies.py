# SPDX-License-Identifier: Apache-2.0
"""A deputy of the test's own, for a scope and a bpffs of the test's own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.daemon import deputy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sensor.daemon.deputy import Deputy
    from support.scope import Argument, Scope


@contextmanager
def deputed(scope: Scope, pins: Path) -> Iterator[Deputy]:
    """Start a deputy for the length of the ``with``."""
    one = deputy.start(pins=pins, scope=scope.path)
    try:
        yield one
    finally:
        one.close()


def children(pid: int) -> list[int]:
    """List the children of a process."""
    said = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    return [int(child) for child in said.split()]


def started(argv: Sequence[Argument], scope: Scope | None) -> subprocess.Popen[bytes]:
    """Start a program that is written to and read from, in a scope or outside of any."""
    if scope:
        return scope.run(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@contextmanager
def sleeping(scope: Scope | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Have a process that does nothing, in a scope or outside of any."""
    script = "import sys; print(flush=True); sys.stdin.read()"
    with started([sys.executable, "-I", "-c", script], scope) as process:
        try:
            assert process.stdout
            assert process.stdout.readline()
            yield process
        finally:
            process.kill()
