# SPDX-License-Identifier: Apache-2.0
"""A program that reads a store while somebody writes it, up to a seq.

``python -m support.following PATH SEQ`` prints a line when it begins, and how many
events it read; it fails at a repeat, a hole, or half a batch of 30.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from sensor.edge.store import Store
from support.rows import row

_BATCH = 30
_DEADLINE_S = 60.0


def main() -> int:
    """Follow the store to the seq."""
    wanted = int(sys.argv[2])
    deadline = time.monotonic() + _DEADLINE_S
    read = 0
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    with Store(Path(sys.argv[1]), read_only=True) as store:
        while read < wanted and time.monotonic() < deadline:
            newest = store.last_seq
            if newest % _BATCH:
                return 1
            for seq, body in store.read(read + 1, newest, limit=wanted):
                if seq != read + 1 or body != row(seq).body:
                    return 1
                read = seq
            if read < newest:
                return 1
    sys.stdout.write(f"{read}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
