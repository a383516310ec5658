# SPDX-License-Identifier: Apache-2.0
"""A program that stores events as fast as it can, to be killed.

``python -m support.appending PATH``: each line that it writes is a range that is
told to somebody, before the store has it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sensor.edge.store import Store
from sensor.edge.store_told import Told
from sensor.edge.store_writer import Keep, Writer
from support.rows import rows

_AT_ONCE = 50
_KEEP = Keep(max_age_s=1 << 31, max_bytes=4 << 20)


def main() -> None:
    """Append until killed."""
    path = Path(sys.argv[1])
    store = Store(path)
    told = Told(path.with_name("told"))
    begun = store.begin(told.before)
    seq = begun.next_seq
    writer = Writer(store, begun, _KEEP, told.note)
    while True:
        writer.put(rows(seq, seq + _AT_ONCE - 1, pad=500))
        sys.stdout.write(f"{seq} {seq + _AT_ONCE - 1}\n")
        sys.stdout.flush()
        seq += _AT_ONCE


if __name__ == "__main__":
    main()
