# SPDX-License-Identifier: Apache-2.0
"""What a process uses: a CPU, memory, and times that it was put on a CPU."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

_REST_S = 60


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory in KiB, and the most that it was.

    ``file`` is shared with whoever maps the same files.
    """

    all: int
    anonymous: int
    file: int
    peak: int


class Process:
    """A process that runs, seen from outside."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

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
        found = dict(re.findall(r"^(VmRSS|RssAnon|RssFile|VmHWM):\s+(\d+) kB$", text, re.MULTILINE))
        names = ("VmRSS", "RssAnon", "RssFile", "VmHWM")
        return Memory(*(int(found[name]) for name in names))

    def rest(self) -> None:
        """Wait until it has nothing to do."""
        deadline = time.monotonic() + _REST_S
        before, same = self.cpu_s(), 0
        while same < 5:
            assert time.monotonic() < deadline, "it never comes to rest"
            time.sleep(0.05)
            now = self.cpu_s()
            before, same = now, same + 1 if now == before else 0
