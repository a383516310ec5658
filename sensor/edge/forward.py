# SPDX-License-Identifier: Apache-2.0
"""The host's own log: journald by its native protocol, or syslog's socket where there is none.

A log that is slow, full or gone holds nobody up: what it does not take at once
is counted and dropped.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core import forwarding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor.core.event import Event

JOURNAL = Path("/run/systemd/journal/socket")
SYSLOG = Path("/dev/log")


class Forward:
    """Sends events on. ``undelivered`` counts those that were not taken."""

    def __init__(self, *, journal: Path = JOURNAL, syslog: Path = SYSLOG) -> None:
        self._journal = journal
        self._syslog = syslog
        self._out: socket.socket | None = None
        self._is_journal = False
        self.undelivered = 0

    def send(self, events: Iterable[Event]) -> None:
        """Hand on what the log is to know; never waits, and raises nothing."""
        for event in events:
            severity = forwarding.severity(event)
            if severity is not None and not self._deliver(event, severity):
                self.undelivered += 1

    def close(self) -> None:
        """Let go of the log."""
        if self._out:
            self._out.close()
            self._out = None

    def _deliver(self, event: Event, severity: int) -> bool:
        """Send one event; a log that was started anew is looked for once."""
        for _ in range(2):
            out = self._out or self._connect()
            if out is None:
                return False
            try:
                out.send(self._written(event, severity))
            except (BlockingIOError, InterruptedError):
                return False
            except OSError:
                self.close()
            else:
                return True
        return False

    def _written(self, event: Event, severity: int) -> bytes:
        if self._is_journal:
            return forwarding.journal(event, severity)
        return forwarding.syslog(event, severity, pid=os.getpid())

    def _connect(self) -> socket.socket | None:
        for path in (self._journal, self._syslog):
            out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            with suppress(OSError):
                out.connect(os.fspath(path))
                self._out, self._is_journal = out, path == self._journal
                return out
            out.close()
        return None
