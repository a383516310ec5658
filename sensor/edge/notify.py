# SPDX-License-Identifier: Apache-2.0
"""The service manager: what it is told (sd_notify(3), to ``$NOTIFY_SOCKET``) and asked."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import suppress

from sensor.core.installation import UNIT

MORE_S = 90
"""What a start that is at work gets from then on, as much as it gets to begin with."""

LONGEST_START_S = 600
"""After this it gets no more: others wait for it, a host's sshd among them."""

_US_PER_S = 1_000_000
_JOBS = ("systemctl", "list-jobs", "--no-legend", "--no-pager")
_ANSWER_S = 15
"""Well within TimeoutStopSec= of the unit: no answer is a stop, so a restart would have a gap."""


class Notify:
    """The way to systemd, or to nobody where it did not start us."""

    def __init__(self) -> None:
        path = os.environ.get("NOTIFY_SOCKET", "")
        # "@" is how systemd writes an abstract address.
        self._began_s = time.monotonic()
        self._address = "\0" + path[1:] if path.startswith("@") else path

    def tell(self, *words: str) -> None:
        """Send assignments like ``READY=1``; a manager that is gone is no error."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out, suppress(OSError):
            out.sendto("\n".join(words).encode(), self._address)

    def needs_longer(self) -> None:
        """Ask for more time to start, if it started little enough ago (sd_notify(3))."""
        if time.monotonic() - self._began_s < LONGEST_START_S:
            self.tell(f"EXTEND_TIMEOUT_USEC={MORE_S * _US_PER_S}")

    @staticmethod
    def watchdog_s() -> float | None:
        """Tell how often the manager wants a sign of life: half its time-out; None for never."""
        wanted, pid = os.environ.get("WATCHDOG_USEC"), os.environ.get("WATCHDOG_PID")
        if not wanted or not wanted.isdigit() or (pid and pid != str(os.getpid())):
            return None
        return int(wanted) / _US_PER_S / 2

    def is_restarting(self) -> bool:
        """Tell whether the manager ends us in order to start us again.

        A unit that restarts has a job of that type until it has ended
        (org.freedesktop.systemd1(5)). Who does not answer is not waited for: that is a stop.
        """
        if not self._address:
            return False
        with suppress(OSError, subprocess.SubprocessError):
            jobs = subprocess.run(
                _JOBS, stdin=subprocess.DEVNULL, capture_output=True, check=True,
                text=True, errors="backslashreplace", timeout=_ANSWER_S,
            ).stdout  # fmt: skip
            return any(line.split()[1:3] == [UNIT, "restart"] for line in jobs.splitlines())
        return False
