# SPDX-License-Identifier: Apache-2.0
"""The first sector of a disk is one that others can read."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from vm.bootable import CODE_BYTES, FIRST_SECTOR, SECTOR_BYTES, first_sector

if TYPE_CHECKING:
    from pathlib import Path


def test_the_code_stays_and_the_rest_of_the_sector_is_the_table() -> None:
    """A boot sector has GRUB's code, which would else reach into the table."""
    boot = bytes(range(256)) * 2
    sector = first_sector(boot, sectors=4096)
    assert sector[:CODE_BYTES] == boot[:CODE_BYTES]
    assert len(sector) == SECTOR_BYTES
    assert sector.endswith(b"\x55\xaa")


@pytest.mark.parametrize("sectors", [4096, 3 << 21])
def test_the_table_has_the_partition(tmp_path: Path, sectors: int) -> None:
    """As partx(8) reads it."""
    image = tmp_path / "disk"
    with image.open("wb") as disk:
        disk.write(first_sector(b"", sectors=sectors))
        disk.truncate((FIRST_SECTOR + sectors) * SECTOR_BYTES)
    shown = subprocess.run(
        ["partx", "--show", "--noheadings", "--output", "START,SECTORS,TYPE,SCHEME", image],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert shown.split() == [str(FIRST_SECTOR), str(sectors), "0x83", "dos"]
