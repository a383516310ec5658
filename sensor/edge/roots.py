# SPDX-License-Identifier: Apache-2.0
"""The root folders of processes, held by descriptors: one for all that have the same."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sensor.core.facts import Process

HELD = 64
"""Different roots at a time."""

_MOUNT = re.compile(r"^mnt_id:\s*(\d+)$", re.MULTILINE)


class Roots:
    """Roots that are held; most processes have that of the host."""

    def __init__(self) -> None:
        self._handles: dict[tuple[str, int], int] = {}
        self._holders: dict[int, int] = {}

    def hold(self, process: Process) -> int | None:
        """Hold the root of a process; looks up no path below it.

        None where it has ended, or too many are held: a user can make namespaces by the thousand.
        """
        try:
            handle = os.open(f"/proc/{process.pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            identity = _identity(handle)
        except OSError:  # no descriptor is left to read it by
            os.close(handle)
            return None
        if identity not in self._handles and len(self._handles) >= HELD:
            os.close(handle)
            return None
        known = self._handles.setdefault(identity, handle)
        if known != handle:
            os.close(handle)
        self._holders[known] = self._holders.get(known, 0) + 1
        return known

    def release(self, handle: int) -> None:
        """Let go of a root that was held once more than it is needed."""
        self._holders[handle] -= 1
        if self._holders[handle] == 0:
            del self._holders[handle]
            self._handles = {key: one for key, one in self._handles.items() if one != handle}
            os.close(handle)


def _identity(handle: int) -> tuple[str, int]:
    """Tell roots apart: by the mount, which is of one mount namespace, and the folder in it."""
    said = Path(f"/proc/self/fdinfo/{handle}").read_text("ascii")
    found = _MOUNT.search(said)
    return (found[1] if found else "", os.fstat(handle).st_ino)
