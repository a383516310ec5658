# SPDX-License-Identifier: Apache-2.0
"""A sensor that is measured: `agent-sensor watch`, its output left alone."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

AGENT_SENSOR = Path(sys.executable).with_name("agent-sensor")
_FAREWELL = re.compile(r"watched for .*?: (\d+) events(?:, (\d+) records lost)?")
_END_S = 60


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory in KiB; ``file`` is shared with whoever maps the same files."""

    all: int
    anonymous: int
    file: int


class Sensor:
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
    def pid(self) -> int:
        """The sensor's process."""
        return self._process.pid

    @property
    def output(self) -> IO[str]:
        """What it prints, where ``stdout`` is a pipe."""
        assert self._process.stdout
        return self._process.stdout

    @property
    def _stderr(self) -> IO[str]:
        assert self._process.stderr
        return self._process.stderr

    def switches(self) -> int:
        """Count how often its threads were put on a CPU and taken off again."""
        paths = Path(f"/proc/{self.pid}/task").glob("*/status")
        lines = (line for path in paths for line in path.read_text("utf-8").splitlines())
        return sum(int(line.split()[1]) for line in lines if "voluntary_ctxt_switches" in line)

    def cpu_s(self) -> float:
        """Tell how much of a CPU it has used, to the nanosecond."""
        stats = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(path.read_text("ascii").split()[0]) for path in stats) / 1e9

    def memory(self) -> Memory:
        """Read its resident memory."""
        text = Path(f"/proc/{self.pid}/status").read_text("utf-8")
        found = dict(re.findall(r"^(VmRSS|RssAnon|RssFile):\s+(\d+) kB$", text, re.MULTILINE))
        return Memory(int(found["VmRSS"]), int(found["RssAnon"]), int(found["RssFile"]))

    def rest(self) -> None:
        """Wait until it has nothing to do."""
        deadline = time.monotonic() + _END_S
        before, same = self.cpu_s(), 0
        while same < 5:
            assert time.monotonic() < deadline, "the sensor never comes to rest"
            time.sleep(0.05)
            now = self.cpu_s()
            before, same = now, same + 1 if now == before else 0
