# SPDX-License-Identifier: Apache-2.0
"""Whether the probes that a daemon runs on are attached still: their pins hold them, nothing else.

Whoever may write to the bpffs can take pins away, which no hook tells. What is
pinned there later under the same names is another's.
"""

from __future__ import annotations

import selectors
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sensor.core.facts import Health
from sensor.edge.inotify_folders import Folders
from sensor.errors import SensorError
from sensor.wire.programs import PROGRAMS, STAND_BYS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sensor.daemon.instance import Loaded
    from sensor.daemon.refusing import Refusing
    from sensor.daemon.sensing import Sensing

PROBES = "probes"
_AGAIN_S = 1.0
"""How often it is looked where there is no room for a watcher, at most."""


class Footing:
    """The pins of one daemon. That any are gone is told once, and holds until it ends."""

    def __init__(
        self, loaded: Loaded, sensing: Sensing, refusing: Refusing | None, *,
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._pins = loaded.pins
        self._sensing = sensing
        self._refusing = refusing
        self._say = say
        self._inodes = {
            program.name: _inode(self._pins / program.pin)
            for program in PROGRAMS
            if not program.on_demand and program.name not in loaded.missing
        }
        stand_bys = {one.name: _inode(self._pins / one.pin) for one in STAND_BYS}
        self._inodes |= {name: inode for name, inode in stand_bys.items() if inode is not None}
        self._not_before_s = 0.0
        self._why = ""
        self._folders: Folders | None = None
        with suppress(SensorError):
            self._folders = Folders()
            self._folders.watch([self._pins])

    def register(self, selector: selectors.BaseSelector) -> None:
        """Have a selector watch the folder of the pins."""
        if folders := self._folders:
            selector.register(folders, selectors.EVENT_READ, lambda _mask: self._heed(folders))

    def _heed(self, folders: Folders) -> None:
        folders.take()
        self.gone()

    def turn(self) -> None:
        """Look now and then where nothing tells when to."""
        if self._folders is None and time.monotonic() >= self._not_before_s:
            self._not_before_s = time.monotonic() + _AGAIN_S
            self.gone()

    def gone(self) -> frozenset[str]:
        """Name the programs that are not attached any more; the first time, tell everybody."""
        lost = {
            name
            for name, inode in self._inodes.items()
            if inode is None or _inode(self._pins / f"link_{name}") != inode
        }
        on_demand = self._refusing.enforcing.attached if self._refusing else frozenset()
        lost |= {name for name in on_demand if _inode(self._pins / f"link_{name}") is None}
        if lost and not self._why:
            self._lose()
        return frozenset(lost)

    def _lose(self) -> None:
        self._why = (
            f"the probes are detached: pins in {self._pins} were taken away; nothing is sure to be"
            " seen or refused until agent-sensor is restarted"
        )
        self._say(self._why)
        now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self._sensing.see(Health(at_ns=now_ns, what=PROBES, is_well=False, why=self._why))
        if self._refusing:
            self._refusing.lose(self._why)

    def problems(self) -> list[str]:
        """Say what is wrong, one sentence each."""
        gone = self.gone()
        if not self._why:
            return []
        which = "all" if gone >= self._inodes.keys() else ", ".join(sorted(gone)) or "none by now"
        return [f"{self._why} (gone: {which})"]

    def close(self) -> None:
        """Watch nothing any more."""
        if self._folders:
            self._folders.close()


def _inode(pin: Path) -> int | None:
    """Give the number of a pin, None where it is gone: one of another's has another."""
    with suppress(OSError):
        return pin.stat().st_ino
    return None
