# SPDX-License-Identifier: Apache-2.0
"""A daemon that is measured: `agent-sensor run`, its store on an ordinary disk, and a tail."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from support.running import running

from bench.process import Process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from support.running import Running
    from support.scope import Scope

# hier(7): kept over a boot, so on a disk where anything is; the store belongs there.
_DISK = Path("/var/tmp")  # noqa: S108  # a folder of our own is made in it
_END_S = 60


@dataclass(frozen=True, slots=True)
class Told:
    """How many events there were until now, and how many somebody did not get."""

    events: int
    lost: int
    skipped: int
    unstored: int

    @property
    def missed(self) -> int:
        """Events that did not come through everywhere."""
        return self.lost + self.skipped + self.unstored

    def since(self, before: Told) -> Told:
        """Give what was added after ``before``."""
        return Told(
            self.events - before.events,
            self.lost - before.lost,
            self.skipped - before.skipped,
            self.unstored - before.unstored,
        )


class Daemon(Process):
    """A daemon with a store of its own, watching a scope."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def start(self, *options: str) -> float:
        """Start it. Returns the seconds until it watches."""
        started = time.perf_counter()
        self._running.start(*options)
        took_s = time.perf_counter() - started
        super().__init__(self._running.pid)
        return took_s

    def stop(self) -> None:
        """End it cleanly; the probes stay where ``start`` was given --keep."""
        assert self._running.stop() == 0

    def told(self) -> Told:
        """Ask it how many events there were and what was missed, once it has stored them all."""
        deadline = time.monotonic() + _END_S
        while (status := self._status())["store"]["waiting"]:
            assert time.monotonic() < deadline, "the store never catches up"
        return Told(
            events=sum(status["events"].values()),
            lost=status["lost"],
            skipped=status["hub"]["skipped"],
            unstored=status["store"]["unstored"],
        )

    def _status(self) -> dict[str, Any]:
        return dict(json.loads(self._running.command("status", "--json").stdout))

    def waiting(self) -> int:
        """Count the files that wait to be looked into."""
        return int(self._status()["contents"]["waiting"])

    def searches(self) -> dict[str, int]:
        """Count the files that were looked into, by what came of it."""
        return dict(self._status()["contents"]["searched"])

    def tail(self, *, stdout: int = subprocess.DEVNULL) -> Tail:
        """Give a reader of all that it tells."""
        return Tail(self._running.argv("tail", "--json", "--since", "1"), stdout)

    def stored_bytes(self) -> int:
        """Measure the store of a daemon that has ended."""
        return self._running.store.stat().st_size


class Tail(Process):
    """`agent-sensor tail --json` for the length of a ``with``."""

    def __init__(self, argv: list[str], stdout: int) -> None:
        self._argv, self._stdout = argv, stdout

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._argv,
            stdin=subprocess.DEVNULL, stdout=self._stdout,
            stderr=subprocess.DEVNULL,  # what was skipped is counted by the daemon too
            text=True,
        )  # fmt: skip
        super().__init__(self._process.pid)
        self.rest()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(_END_S)

    @property
    def output(self) -> IO[str]:
        """What it prints, where ``stdout`` is a pipe."""
        assert self._process.stdout
        return self._process.stdout


@contextmanager
def daemon(scope: Scope) -> Iterator[Daemon]:
    """Give a daemon that is not started yet; its folders and pins go at the end.

    Its run directory is on a tmpfs, as /run is (file-hierarchy(7)).
    """
    with tempfile.TemporaryDirectory(prefix="agent-sensor-bench-", dir=_DISK) as folder:
        run_dir = Path(folder, "run")
        run_dir.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", run_dir], check=True)
        try:
            with running(scope, Path(folder)) as process:
                yield Daemon(process)
        finally:
            subprocess.run(["umount", "--lazy", run_dir], check=True)
