# SPDX-License-Identifier: Apache-2.0
"""A file system of the test's own on which little has room."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOM_BYTES = 64 * 1024


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk that has room for so many bytes; what is on it goes with it."""
    folder.mkdir()
    options = f"size={ROOM_BYTES},mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
