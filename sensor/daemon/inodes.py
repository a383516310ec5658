# SPDX-License-Identifier: Apache-2.0
"""Files that are known by their content, as the kernel has them (`inodes` and `asked`)."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from sensor.daemon.instance import fingerprint
from sensor.daemon.state import WATCH_CONTENT, Slot, State
from sensor.wire import marks, tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sensor.core.catalogue import Catalogue
    from sensor.core.facts import File
    from sensor.daemon.instance import Pins
    from sensor.daemon.members import Members

FILES = 4096
"""Of the table `inodes` (``probes/files.c``); the oldest make room."""


class Inodes:
    """Writes what was found in files. What an earlier run found holds while the catalogue does."""

    def __init__(self, pins: Pins, members: Members, catalogue: Catalogue) -> None:
        self._inodes = pins.map("inodes")
        self._asked = pins.map("asked")
        self._state = State.of(pins)
        self._members = members
        self._entered: OrderedDict[bytes, int] = OrderedDict()
        self.learn(catalogue)
        size, value_size = tables.IMAGE_KEY.size, marks.MARK.size
        for key, value in self._inodes.items(size, value_size):
            self._entered[key] = marks.MARK.unpack(value)[0]

    def learn(self, catalogue: Catalogue) -> bool:
        """Forget all files, if what was found in them was found by other texts; say so."""
        known = _digest(catalogue)
        if self._state[Slot.CATALOGUE] == known:
            return False
        self._clear()
        self._entered.clear()
        self._state[Slot.CATALOGUE] = known
        self._members.renew_answers()
        return True

    def watch(self) -> None:
        """Have the kernel tell of large files that no name settles."""
        self._state[Slot.WATCH] |= WATCH_CONTENT
        self._members.renew_answers()

    def known(self) -> Mapping[tuple[int, int], int]:
        """Give the tools by inode and change time of their files."""
        files = (tables.IMAGE_KEY.unpack(key) for key in self._entered)
        return {
            (ino, ctime_ns): tool
            for (_, ino, ctime_ns), tool in zip(files, self._entered.values(), strict=True)
        }

    def enter(self, file: File, tool: int) -> None:
        """Have a file be a tool from its next execution on, whatever its name."""
        key = tables.image_key(file)
        self._entered[key] = tool
        self._entered.move_to_end(key)
        if len(self._entered) > FILES:
            oldest, _ = self._entered.popitem(last=False)
            self._inodes.delete(oldest)
        self._inodes.update(key, marks.MARK.pack(tool, marks.MarkFlag.STRONG))
        self._members.renew_answers()

    def settle(self, file: File) -> None:
        """Have the kernel go by what the names of a file say: there is nothing in it."""
        self._asked.update(tables.image_key(file), tables.image_state(tables.SEARCHED))

    def forget(self, file: File) -> None:
        """Have a file told again at its next execution: it could not be judged."""
        self._asked.delete(tables.image_key(file))

    def _clear(self) -> None:
        for table, size in (
            (self._inodes, marks.MARK.size),
            (self._asked, tables.IMAGE_STATE.size),
        ):
            for key, _ in list(table.items(tables.IMAGE_KEY.size, size)):
                table.delete(key)


def _digest(catalogue: Catalogue) -> int:
    """Sum up what indexes and markers there are."""
    texts = (f"{tool.id} {tool.contents}" for tool in catalogue.tools)
    return int(fingerprint(*(text.encode() for text in texts)), 16)
