# SPDX-License-Identifier: Apache-2.0
"""What the service manager is told: sd_notify(3), a datagram to ``$NOTIFY_SOCKET``."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

_US_PER_S = 1_000_000


class Notify:
    """The way to systemd, or to nobody where it did not start us."""

    def __init__(self) -> None:
        path = os.environ.get("NOTIFY_SOCKET", "")
        # "@" is how systemd writes an abstract address.
        self._address = "\0" + path[1:] if path.startswith("@") else path

    def tell(self, *words: str) -> None:
        """Send assignments like ``READY=1``; a manager that is gone is no error."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out, suppress(OSError):
            out.sendto("\n".join(words).encode(), self._address)

    @staticmethod
    def watchdog_s() -> float | None:
        """Tell how often the manager wants a sign of life: half its time-out; None for never."""
        wanted, pid = os.environ.get("WATCHDOG_USEC"), os.environ.get("WATCHDOG_PID")
        if not wanted or not wanted.isdigit() or (pid and pid != str(os.getpid())):
            return None
        return int(wanted) / _US_PER_S / 2
