# SPDX-License-Identifier: Apache-2.0
"""A daemon that keeps a policy in a cgroup of the test's own, and nowhere else."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Unpack

from support.running import AGENT_SENSOR, Running, running
from support.scope import Scope
from support.stage import end_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from support.running import Event
    from support.scope import Argument, PopenOptions

_TOLD_S = 30


class Policing:
    """A scope, the daemon over it, and the file with its policy, which can be another one later."""

    def __init__(self, scope: Scope, daemon: Running, file: Path) -> None:
        self.scope = scope
        self.daemon = daemon
        self._file = file

    def start(self, policy: str, *options: str) -> None:
        """Start the daemon with a policy."""
        self._write(policy)
        self.daemon.start("--policy", str(self._file), *options)

    def keep(self, policy: str) -> None:
        """Put another policy in force."""
        self._write(policy)
        done = subprocess.run(
            [AGENT_SENSOR, "policy", "reload", "--run-dir", self.daemon.run_dir],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr

    def run(self, argv: Sequence[Argument], **options: Unpack[PopenOptions]) -> tuple[int, int]:
        """Run a program in the scope to its end; give its pid and status."""
        process = self.scope.run(argv, **options)
        return process.pid, end_of(process)

    def seq(self) -> int:
        """Give the newest event's seq."""
        return max((event["seq"] for event in self.daemon.past()), default=0)

    def ways(self) -> dict[str, str]:
        """Say how the daemon refuses what, as its status has it."""
        (status,) = self.daemon.ask("status")
        ways: dict[str, str] = status["enforcement"]
        return ways

    def told_of(self, since: int, kind: str) -> list[Event]:
        """Give the events of a kind after a seq."""
        return [e for e in self.daemon.past() if e["seq"] > since and e["kind"] == kind]

    def told(self, since: int, kind: str, count: int) -> list[Event]:
        """Give the events of a kind after a seq, of which there have to be so many."""
        end = time.monotonic() + _TOLD_S
        while True:
            events = self.told_of(since, kind)
            if len(events) >= count or time.monotonic() > end:
                assert len(events) == count, [event["line"] for event in events]
                return events

    def _write(self, policy: str) -> None:
        self._file.write_text(f"version = 1\n{policy}", "utf-8")
        self._file.chmod(0o600)


@contextmanager
def policing(folder: Path) -> Iterator[Policing]:
    """Give a daemon over a scope of its own, not yet started."""
    with Scope() as scope, running(scope, folder) as daemon:
        yield Policing(scope, daemon, folder / "policy.toml")
