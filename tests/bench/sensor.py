# SPDX-License-Identifier: Apache-2.0
"""A sensor that is measured: `agent-sensor watch`, its output left alone."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from bench.process import Process

if TYPE_CHECKING:
    from types import TracebackType

AGENT_SENSOR = Path(sys.executable).with_name("agent-sensor")
_FAREWELL = re.compile(r"watched for .*?: (\d+) events(?:, (\d+) records lost)?")
_END_S = 60


class Sensor(Process):
    """Watches ``scope`` (None: the host) for the length of a ``with``.

    ``ready_s`` is how long it took until it watched; ``events`` and ``lost`` are
    what it said at its end.
    """

    def __init__(
        self, scope: Path | None = None, *options: str, stdout: int | IO[bytes] | None = None
    ) -> None:
        where = [] if scope is None else [f"--scope={scope}"]
        self._argv = [str(AGENT_SENSOR), "watch", *where, *options]
        self._stdout = subprocess.DEVNULL if stdout is None else stdout
        self.events = self.lost = 0

    def __enter__(self) -> Self:
        started = time.perf_counter()
        self._process = subprocess.Popen(
            self._argv,
            stdin=subprocess.DEVNULL, stdout=self._stdout, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        super().__init__(self._process.pid)
        said = ""
        for line in self._stderr:
            if line.startswith("watching"):
                self.ready_s = time.perf_counter() - started
                return self
            said += line
        self._process.wait()
        raise ChildProcessError(f"the sensor did not start: {said}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            said = self._stderr.read()
            status = self._process.wait(_END_S)
        finally:
            self._process.kill()
        match = _FAREWELL.search(said)
        if status or not match:
            raise ChildProcessError(f"the sensor ended with {status}: {said}") from error
        self.events, self.lost = int(match[1]), int(match[2] or 0)

    @property
    def output(self) -> IO[str]:
        """What it prints, where ``stdout`` is a pipe."""
        assert self._process.stdout
        return self._process.stdout

    @property
    def _stderr(self) -> IO[str]:
        assert self._process.stderr
        return self._process.stderr
