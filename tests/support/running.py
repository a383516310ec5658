# SPDX-License-Identifier: Apache-2.0
"""A daemon under test: `agent-sensor run` as a process, with folders and a bpffs of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from support.patience import READY_S, SOON_S
from support.pins import mounted_bpffs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from support.scope import Scope

AGENT_SENSOR = Path(sys.executable).with_name("agent-sensor")

Event = dict[str, Any]


class Running:
    """A daemon that can be killed and started again over the same folders."""

    def __init__(self, scope: Path, folder: Path, bpffs: Path) -> None:
        self.state_dir, self.run_dir = folder / "state", folder / "run"
        self.store = self.state_dir / "events.db"
        self._places = [f"--state-dir={self.state_dir}", f"--run-dir={self.run_dir}"]
        self._argv = ["run", *self._places, f"--bpffs={bpffs}", f"--scope={scope}"]
        self._process: subprocess.Popen[str] | None = None
        self.said: list[str] = []

    def start(self, *options: str) -> None:
        """Start it, and wait until it says that it watches."""
        self._process = subprocess.Popen(
            [AGENT_SENSOR, *self._argv, *options], stderr=subprocess.PIPE, text=True
        )
        self.said = []
        ready = threading.Event()
        threading.Thread(target=self._listen, args=(self._process, ready), daemon=True).start()
        if not ready.wait(READY_S) or not any("watching" in line for line in self.said):
            self.kill()
            raise AssertionError(f"the daemon did not get ready: {self.said}")

    def _listen(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stderr
        for line in process.stderr:
            self.said.append(line)
            if line.startswith("watching"):
                ready.set()
        ready.set()

    @property
    def pid(self) -> int:
        """Give the pid of the daemon that runs."""
        assert self._process
        return self._process.pid

    def kill(self) -> None:
        """End it as nobody can prevent."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end. Returns its exit code; a traceback fails the test."""
        status = self._end(signal.SIGTERM)
        assert not any("Traceback" in line for line in self.said), self.said
        return status

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(number)
        return process.wait(SOON_S)

    def ask(self, command: str, *options: str) -> list[Event]:
        """Run one of the readers' commands with --json; give its lines."""
        done = self.command(command, "--json", *options)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def command(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run one of the readers' commands on this daemon's folders."""
        return subprocess.run(
            self.argv(command, *options),
            capture_output=True,
            text=True,
            check=False,
            timeout=READY_S,
        )

    def argv(self, command: str, *options: str) -> list[str]:
        """Give the command line of a command on this daemon's folders."""
        places = self._places[1:] if command == "status" else self._places
        return [str(AGENT_SENSOR), command, *places, *options]

    def another(self) -> subprocess.CompletedProcess[str]:
        """Try to start a second one over the same folders."""
        return subprocess.run(
            [AGENT_SENSOR, *self._argv],
            capture_output=True,
            text=True,
            check=False,
            timeout=READY_S,
        )

    def verify(self) -> subprocess.CompletedProcess[str]:
        """Have the seals of the store checked."""
        return subprocess.run(
            [AGENT_SENSOR, "verify", self._places[0]], capture_output=True, text=True, check=False
        )

    def past(self, *options: str) -> list[Event]:
        """Give all events that there are, through `tail`."""
        return self.ask("tail", "--no-follow", "--since", "1", "--all-children", *options)

    def until(
        self, claim: Callable[[list[Event]], bool], deadline_s: float = SOON_S
    ) -> list[Event]:
        """Read the past again and again until the claim holds of it."""
        end = time.monotonic() + deadline_s
        while not claim(events := self.past()):
            assert time.monotonic() < end, events
        return events

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()


@contextmanager
def running(scope: Scope | Path, folder: Path) -> Iterator[Running]:
    """Give a daemon that is not started yet; its pins go with the bpffs at the end."""
    where = scope if isinstance(scope, Path) else scope.path
    with mounted_bpffs(folder / "bpf") as bpffs, Running(where, folder, bpffs) as daemon:
        yield daemon
