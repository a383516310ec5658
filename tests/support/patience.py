# SPDX-License-Identifier: Apache-2.0
"""How long tests wait for what has to come; on this machine's own kernel it comes in moments.

An emulated kernel whose host is busy takes minutes for what takes a second or two,
and nothing is proved by giving up earlier.
"""

from __future__ import annotations

import select
from typing import Protocol

# The start of a sensor: the probes are compiled.
READY_S = 900.0
# Anything else.
SOON_S = 300.0


class HasFileno(Protocol):
    """What can be waited for."""

    def fileno(self) -> int:
        """Return the file descriptor."""


def is_readable(source: HasFileno | int, within_s: float) -> bool:
    """Wait for a descriptor, of whatever number: select(2) takes none above 1,023."""
    poller = select.poll()
    poller.register(source, select.POLLIN)
    return bool(poller.poll(within_s * 1000))
