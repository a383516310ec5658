# SPDX-License-Identifier: Apache-2.0
"""Scripts, as the kernel has them (`scripts` and `shown`): which it is to tell.

The kernel knows a script by its path alone, which can be another file at any time. So
nobody is refused by it: a tool's is told each time, and what is at another one's is
watched, and looked at again after a while.
"""

from __future__ import annotations

import os
import struct
import time
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING

from sensor.core.identity import Identifier
from sensor.daemon.state import WATCH_SCRIPTS, Slot, State
from sensor.edge.inotify_changes import Changes
from sensor.errors import SensorError
from sensor.wire import marks, tables
from sensor.wire.searches import Place

if TYPE_CHECKING:
    from sensor.core.catalogue import Catalogue
    from sensor.core.facts import Exec, File
    from sensor.core.scripts import Inside, Script
    from sensor.daemon.instance import Pins

SCRIPTS = 1024
"""Of the table `scripts` (``probes/scripts.c``); the oldest make room."""

SHOWN_NS = 600_000_000_000
"""So long the kernel does not tell of a script again (``probes/scripts.c``)."""

RETRIED_NS = 5_000_000_000
"""After that long a script is told again that could not be looked into."""

_SHOWN = struct.Struct("=Q")


class Scripts:
    """Writes what was found in scripts. What an earlier run found may be another file by now."""

    def __init__(self, catalogue: Catalogue, pins: Pins) -> None:
        self._scripts = pins.map("scripts")
        self._shown = pins.map("shown")
        self._state = State.of(pins)
        self._known: OrderedDict[Script, None] = OrderedDict()
        self.changes: Changes[Script] | None = None
        with suppress(SensorError):  # then each is told again after a moment
            self.changes = Changes()
        self.learn(catalogue)

    def learn(self, catalogue: Catalogue) -> None:
        """Go by another catalogue: what scripts are is found out again."""
        self._catalogue = catalogue
        self._identifier = Identifier(catalogue)
        self._known.clear()
        for table, size in ((self._scripts, marks.MARK.size), (self._shown, _SHOWN.size)):
            for key, _ in list(table.items(tables.SCRIPT_KEY.size, size)):
                table.delete(key)

    def watch(self) -> None:
        """Have the kernel tell of scripts that no name settles."""
        self._state[Slot.WATCH] |= WATCH_SCRIPTS

    def __len__(self) -> int:
        """Count the scripts that were found to be tools."""
        return len(self._known)

    def place(self, image: Exec) -> Place | None:
        """Say where the script of an image is, None where it runs none."""
        given = self._identifier.invocation(image).script
        if not given:
            return None
        folder = "/" if given.startswith("/") else image.cwd
        return Place(given, folder, image.script.ino if image.script else 0) if folder else None

    def tool(self, inside: Inside | None) -> int:
        """Say which tool a script is by what was found, as the catalogue's index; 0: none."""
        tool = self._identifier.within(inside) if inside else None
        return self._catalogue.index_of(tool.id) if tool else 0

    def settle(self, script: Script, tool: int, file: tuple[int, File] | None) -> None:
        """Have a tool's script told each time, and another one not again for a while.

        ``file`` is the one that was found, held by a descriptor: once it changes the script is
        told again; where it cannot be watched, after a moment.
        """
        if tool:
            self._known[script] = None
            self._known.move_to_end(script)
            if len(self._known) > SCRIPTS:
                self.forget(next(iter(self._known)))
            self._scripts.update(
                tables.script_key(script), marks.MARK.pack(tool, marks.MarkFlag(0))
            )
            return
        self._drop(script)
        is_watched = bool(file and self.changes and self.changes.watch(file[0], script))
        if file and _is_another(*file):
            self.forget(script)
        elif not is_watched:
            self.retry(script)
        for one in self.changes.crowded_out() if self.changes else ():
            self.forget(one)

    def is_tool(self, script: Script) -> bool:
        """Tell whether a script was found to be a tool's."""
        return script in self._known

    def forget(self, script: Script) -> None:
        """Have a script told again at its next execution."""
        self._drop(script)
        self._shown.delete(tables.script_key(script))

    def retry(self, script: Script) -> None:
        """Have a script told again after a moment: it could not be looked into."""
        self._drop(script)
        now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        again_ns = max(0, now_ns - SHOWN_NS + RETRIED_NS)
        self._shown.update(tables.script_key(script), _SHOWN.pack(again_ns))

    def take_changes(self) -> None:
        """Forget what has changed."""
        for script in self.changes.take() if self.changes else ():
            self.forget(script)

    def close(self) -> None:
        """Watch no file any more."""
        if self.changes:
            self.changes.close()

    def _drop(self, script: Script) -> None:
        if script in self._known:
            del self._known[script]
            self._scripts.delete(tables.script_key(script))


def _is_another(handle: int, file: File) -> bool:
    """Tell whether a file was changed before it was watched."""
    now = os.fstat(handle)
    return (now.st_ino, now.st_ctime_ns, now.st_size) != (
        file.ino, file.ctime_ns, file.size_bytes,
    )  # fmt: skip
