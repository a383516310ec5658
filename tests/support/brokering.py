# SPDX-License-Identifier: Apache-2.0
"""Brokers for tests: tmux itself, and stand-ins for what wants a host of its own."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.host import copied
from support.stage import end_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.scope import Scope

# Each line that it reads is run by a child that has not executed anything before.
_SERVES = 'exec 3<>"$1"; while read -r line <&3; do eval "( $line ) &"; done'
_WAITS = "read -r _; exit 0"


@dataclass(frozen=True, slots=True)
class StandIn:
    """A shell under a broker's name: it runs what is written to its FIFO."""

    fifo: Path

    def asks(self, client: Path, line: str) -> str:
        """Give the shell code by which a client has it run a line, and waits for an input."""
        return f"{client} -c 'echo \"{line}\" >{self.fifo}; {_WAITS}'"

    def ask(self, line: str) -> None:
        """Have it run a line, as somebody in no session."""
        self.fifo.write_text(f"{line}\n")


@contextmanager
def stand_in(scope: Scope, folder: Path, name: str) -> Iterator[StandIn]:
    """Give a broker of this name that runs in the scope, and did before anything else does."""
    fifo = folder / f"{name}.fifo"
    os.mkfifo(fifo)
    program = copied("bash", folder / "brokers", name=name)
    process = scope.run([program, "-c", _SERVES, name, fifo], stdin=subprocess.DEVNULL)
    try:
        yield StandIn(fifo)
    finally:
        process.kill()
        process.wait()


@contextmanager
def tool(scope: Scope, claude: Path, code: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run shell code as a tool for the length of a ``with``; its input ends then."""
    process = scope.run([claude, "-c", f"{code}; {_WAITS}"], stdin=subprocess.PIPE)
    try:
        yield process
    finally:
        assert process.stdin
        process.stdin.close()
        assert end_of(process) == 0
