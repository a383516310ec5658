# SPDX-License-Identifier: Apache-2.0
"""A disk that a PC's firmware starts: a partition table, GRUB behind it, one ext4 file system.

Written as files, without a loop device or a mount: a kernel in which neither works
can make one, and no mount can stay behind.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SECTOR_BYTES = 512
# Where fdisk begins the first partition; GRUB lies in between.
FIRST_SECTOR = 2048
# The table's place in the first sector, behind GRUB's code and the disk's signature.
CODE_BYTES = 440
TABLE_AT = 446
BOOTABLE = 0x80
LINUX = 0x83
NO_CYLINDERS = b"\xfe\xff\xff"  # counted in sectors, not in cylinders, heads and sectors
LABEL = "root"
GRUB = "usr/lib/grub/i386-pc"
# What it takes to read /boot; the rest is loaded from there.
GRUB_MODULES = ("biosdisk", "part_msdos", "ext2", "normal", "linux", "serial", "terminal")


class DiskError(Exception):
    """The disk could not be written; the text says what failed."""


def write(root: Path, image: Path, size_mib: int) -> None:
    """Write a disk with what is in the folder, a Debian with grub-pc-bin, into the file ``image``.

    Raises:
        DiskError: It does not fit, or a program failed.

    """
    core = _grub(root)
    room = (FIRST_SECTOR - 1) * SECTOR_BYTES
    if len(core) > room:
        raise DiskError(f"GRUB has {len(core)} bytes, and room for {room}: leave modules out")
    first_byte = FIRST_SECTOR * SECTOR_BYTES
    with image.open("wb") as disk:
        disk.truncate(first_byte + (size_mib << 20))
    _run(
        *("/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", LABEL, "-d", root),
        *("-E", f"offset={first_byte}", image, f"{size_mib}M"),
    )
    boot = (root / GRUB / "boot.img").read_bytes()
    with image.open("r+b") as disk:
        disk.write(first_sector(boot, sectors=size_mib << 11))
        disk.write(core)


def first_sector(boot: bytes, sectors: int) -> bytes:
    """Give the first sector: GRUB's code, and a table of one partition of so many sectors."""
    partition = struct.pack(
        "<B3sB3sII", BOOTABLE, NO_CYLINDERS, LINUX, NO_CYLINDERS, FIRST_SECTOR, sectors
    )
    sector = boot[:CODE_BYTES].ljust(TABLE_AT, b"\0") + partition
    return sector.ljust(SECTOR_BYTES - 2, b"\0") + b"\x55\xaa"


def _grub(root: Path) -> bytes:
    """Put GRUB's modules into /boot, and give what the firmware reads behind the first sector.

    All of it is the guest's own, whose `update-grub` writes for that version.
    """
    modules = root / "boot/grub/i386-pc"
    shutil.copytree(root / GRUB, modules, dirs_exist_ok=True)
    made = modules / "core.img"
    _run(
        *("chroot", root, "grub-mkimage", "--format", "i386-pc"),
        *("--prefix", "(hd0,msdos1)/boot/grub", "--output", f"/{made.relative_to(root)}"),
        *GRUB_MODULES,
    )
    return made.read_bytes()


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise DiskError(f"{command[0]}: {done.stderr.strip() or done.returncode}")
