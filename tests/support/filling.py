# SPDX-License-Identifier: Apache-2.0
"""A program that fills the disk of its store, makes room again, and tells what it saw as JSON.

``python -m support.filling FOLDER`` runs in a mount namespace of its own: its
disk is a small tmpfs on FOLDER, which goes with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.edge.store import LEASE, Store
from sensor.edge.store_told import Told
from sensor.edge.store_verify import Verified
from sensor.edge.store_writer import Keep, Missed, Recovered, Stuck, Writer
from support.patience import is_readable
from support.rows import behind, rows

if TYPE_CHECKING:
    from sensor.edge.store_writer import News
    from sensor.wire.row import Row

_DISK = "8m"
_BALLAST_BYTES = 5 << 20
_QUEUE_BYTES = 1 << 20
_KEEP = Keep(max_age_s=1 << 31, max_bytes=1 << 30)
_DEADLINE_S = 60.0
_TURN_S = 0.02
_STEP = 20_000


def noise(first: int, last: int) -> list[Row]:
    """Return rows that do not get smaller."""
    return [row._replace(body=os.urandom(2000)) for row in rows(first, last)]


def until(writer: Writer, kind: type[News]) -> list[News]:
    """Return what the writer tells up to the first of a kind."""
    told: list[News] = []
    deadline = time.monotonic() + _DEADLINE_S
    while not any(isinstance(one, kind) for one in told):
        if not is_readable(writer, max(deadline - time.monotonic(), 0)):
            raise TimeoutError(kind.__name__)
        told += writer.news()
    return told


class Filling:
    """One run of the sensor on the small disk; ``saw`` is what there was to be seen."""

    def __init__(self, folder: Path) -> None:
        self.path, self._note = folder / "events.db", folder / "told"
        self._ballast = folder / "ballast"
        self._ballast.write_bytes(bytes(_BALLAST_BYTES))
        store = Store(self.path)
        begun = store.begin()
        self._writer = Writer(store, begun, _KEEP, Told(self._note).note, queue_bytes=_QUEUE_BYTES)
        self._seq = begun.next_seq
        self.saw: dict[str, object] = {}

    def fill(self) -> None:
        """Put until the disk is full, and then until more was told than was reserved at first."""
        slowest_s, writer = 0.0, self._writer
        while writer.state().problem is None or self._seq < 3 * LEASE:
            while writer.state().problem is None and writer.state().waiting_rows:
                is_readable(writer, _TURN_S)
            some = noise(self._seq, self._seq + 99)
            before = time.monotonic()
            writer.put(some)
            slowest_s = max(slowest_s, time.monotonic() - before)
            self._seq = some[-1].seq + 1 + (_STEP if writer.state().problem else 0)
        self.saw |= {"stuck": str(until(writer, Stuck)[0]), "slowest_put_s": slowest_s}

    def look(self) -> None:
        """Look at what is there while the disk is full."""
        deadline = time.monotonic() + _DEADLINE_S
        while self._writer.state().reserved_seq <= self._seq and time.monotonic() < deadline:
            is_readable(self._writer, _TURN_S)
        state = self._writer.state()
        with Store(self.path, read_only=True) as reader:
            stored = reader.last_seq
        self.saw |= {
            "stored_during": stored,
            "lease_during": behind(self.path, "SELECT value FROM meta")[0][0],
            "reserved_during": state.reserved_seq,
            "unstored": state.unstored,
        }

    def recover(self) -> None:
        """Make room, and end when the store goes on."""
        self._ballast.unlink()
        after = until(self._writer, Recovered)
        self._writer.put(rows(self._seq, self._seq + 9))
        in_time = self._writer.close(self._seq + 10)
        after += self._writer.news()
        holes = [one.hole for one in after if isinstance(one, Missed)]
        self.saw |= {
            "told": self._seq + 9,
            "missed": [[hole.first_seq, hole.last_seq, hole.why] for hole in holes],
            "in_time": in_time,
        }

    def prove(self) -> None:
        """Look at what the next run finds."""
        with Store(self.path) as store:
            verified = store.verify()
            if not isinstance(verified, Verified):
                raise TypeError(verified)
            self.saw |= {
                "rows": verified.rows,
                "declared": verified.unstored,
                "last_seq": store.last_seq,
                "next_seq_after_power_loss": store.begin().next_seq,
                "next_seq": store.begin(Told(self._note).before).next_seq,
            }


def main() -> None:
    """Fill, go on, make room, and look at what is there."""
    folder = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "none", folder], check=True)
    filling = Filling(folder)
    filling.fill()
    filling.look()
    filling.recover()
    filling.prove()
    json.dump(filling.saw, sys.stdout)


if __name__ == "__main__":
    main()
