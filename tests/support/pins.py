# SPDX-License-Identifier: Apache-2.0
"""A bpffs of the test's own, and what is pinned in it."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def mounted_bpffs(folder: Path) -> Iterator[Path]:
    """Mount a fresh bpffs; whatever is pinned there goes with it."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "bpf", "bpf", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def pinned(bpffs: Path) -> list[str]:
    """Name what is pinned, at any depth; bpffs' own files do not count."""
    return sorted(
        path.name for path in bpffs.rglob("*") if path.is_file() and path.suffix != ".debug"
    )
