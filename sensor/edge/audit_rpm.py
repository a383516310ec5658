# SPDX-License-Identifier: Apache-2.0
"""Names of packages in rpm's database, which is SQLite's since rpm 4.16 (seen in 4.18).

It is read as it lies there: nothing is locked, and what is in its write-ahead
log alone is not seen. Older formats (Berkeley DB, ndb) hold nothing for us.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from sensor.edge.audit_root import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.edge.audit_root import Root

PLACES = ("usr/lib/sysimage/rpm", "var/lib/rpm")
"""Where it is; the first since Fedora 36."""

_FILE = "rpmdb.sqlite"
_MOST = 100_000


def names(root: Root, place: str) -> Iterator[str]:
    """Go through the names of installed packages; a database that is none, or damaged, has none."""
    try:
        folder = root.folder(place)
    except OSError:
        return
    try:
        with opened(folder, _FILE) as file:
            if file is not None:
                yield from _names(file)
    finally:
        os.close(folder)


def _names(file: int) -> Iterator[str]:
    address = f"file:/proc/self/fd/{file}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            rows = database.execute("SELECT key FROM Name LIMIT ?", (_MOST,))
            yield from (key for (key,) in rows if isinstance(key, str))
    except (sqlite3.Error, UnicodeDecodeError):
        return
