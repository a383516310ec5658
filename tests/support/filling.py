# SPDX-License-Identifier: Apache-2.0
"""A program that fills the disk of its store, makes room again, and tells what it saw as JSON.

``python -m support.filling FOLDER`` runs in a mount namespace of its own: its
disk is a small tmpfs on FOLDER, which goes with it.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.edge.store import LEASE, Store
from sensor.edge.store_told import Told
from sensor.edge.store_verify import Verified
from sensor.edge.store_writer import Keep, Missed, Recovered, Stuck, Writer
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
        if not select.select([writer], [], [], max(deadline - time.monotonic(), 0))[0]:
            raise TimeoutError(kind.__name__)
        told += writer.news()
    return told


def main() -> None:
    """Fill, go on, make room, and look at what is there."""
    folder = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "none", folder], check=True)
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(_BALLAST_BYTES))
    path = folder / "events.db"
    store = Store(path)
    begun = store.begin()
    told = Told(folder / "told")
    writer = Writer(store, begun, _KEEP, told.note, queue_bytes=_QUEUE_BYTES)
    seq = begun.next_seq
    slowest_s = 0.0
    while writer.state().problem is None or seq < 3 * LEASE:
        while writer.state().problem is None and writer.state().waiting_rows:
            select.select([writer], [], [], _TURN_S)
        some = noise(seq, seq + 99)
        before = time.monotonic()
        writer.put(some)
        slowest_s = max(slowest_s, time.monotonic() - before)
        # The stream goes further than was reserved when it began.
        seq = some[-1].seq + 1 + (_STEP if writer.state().problem else 0)
    stuck = until(writer, Stuck)
    deadline = time.monotonic() + _DEADLINE_S
    while writer.state().reserved_seq <= seq and time.monotonic() < deadline:
        select.select([writer], [], [], _TURN_S)
    during = writer.state()
    with Store(path, read_only=True) as reader:
        stored = reader.last_seq
    ((lease,),) = behind(path, "SELECT value FROM meta")
    ballast.unlink()
    after = until(writer, Recovered)
    writer.put(rows(seq, seq + 9))
    in_time = writer.close(seq + 10)
    after += writer.news()
    with Store(path) as store:
        verified = store.verify()
        assert isinstance(verified, Verified), verified
        json.dump(
            {
                "stuck": str(stuck[0]),
                "told": seq + 9,
                "stored_during": stored,
                "lease_during": lease,
                "reserved_during": during.reserved_seq,
                "unstored": during.unstored,
                "waiting_bytes": during.waiting_bytes,
                "missed": [
                    [one.hole.first_seq, one.hole.last_seq, one.hole.why]
                    for one in after
                    if isinstance(one, Missed)
                ],
                "in_time": in_time,
                "rows": verified.rows,
                "declared": verified.unstored,
                "last_seq": store.last_seq,
                "next_seq_after_power_loss": store.begin().next_seq,
                "next_seq": store.begin(Told(folder / "told").before).next_seq,
                "slowest_put_s": slowest_s,
            },
            sys.stdout,
        )


if __name__ == "__main__":
    main()
