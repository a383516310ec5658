# SPDX-License-Identifier: Apache-2.0
"""What QEMU boots: the kernel without its packing, and an initramfs of our own.

Pure but for the files it is told to read.
"""

from __future__ import annotations

import lzma
import re
import shlex
import stat
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Documentation/arch/x86/boot.rst: fields of the setup header, protocol 2.08 and later.
SETUP_SECTORS_AT = 0x1F1
PAYLOAD_AT = 0x248
PAYLOAD_BYTES_AT = 0x24C
SECTOR_BYTES = 512
# scripts/Makefile.lib, size_append: the unpacked size follows the payload.
SIZE_BYTES = 4

# Without these the guest does not reach its root: virtio, 9p and overlayfs are modules in Debian.
BOOT_MODULES = ("virtio_mmio", "virtio_pci", "9pnet_virtio", "9p", "overlay")
# A root on a disk instead; ext4 asks for the check sum by a name that no list of modules has.
DISK_MODULES = ("virtio_mmio", "9pnet_virtio", "9p", "virtio_blk", "crc32c_generic", "ext4")


def vmlinux(bzimage: bytes) -> bytes:
    """Give the ELF file inside a bzImage, which saves the guest 3 s of unpacking.

    Raises:
        ValueError: The payload is packed in a way that Debian has not used so far.

    """
    sectors = bzimage[SETUP_SECTORS_AT] or 4
    start = (sectors + 1) * SECTOR_BYTES + _u32(bzimage, PAYLOAD_AT)
    payload = bzimage[start : start + _u32(bzimage, PAYLOAD_BYTES_AT)]
    elf = _unpacked(payload)
    if not elf.startswith(b"\x7fELF"):
        raise ValueError(f"the kernel's payload is no ELF file; it starts {elf[:4].hex()}")
    return elf


def _u32(image: bytes, at: int) -> int:
    return int.from_bytes(image[at : at + 4], "little")


def _unpacked(packed: bytes) -> bytes:
    """Unpack what xz, gzip or zstd has packed; a kernel's payload ends in its unpacked size."""
    match packed[:4]:
        case b"\xfd7zX":
            return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(packed)
        case b"\x28\xb5\x2f\xfd":
            command = ["zstd", "-dcq"]
            whole = packed[:-SIZE_BYTES]
            return subprocess.run(command, input=whole, stdout=subprocess.PIPE, check=True).stdout
        case magic if magic.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(packed)
        case _:
            return packed


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder of the initramfs."""

    name: str
    content: bytes = b""
    mode: int = stat.S_IFREG | 0o755


def archive(entries: list[Entry]) -> bytes:
    """Pack the entries into a cpio archive.

    Format: Documentation/driver-api/early-userspace/buffer-format.rst, "newc".
    """
    whole = bytearray()
    for number, entry in enumerate([*entries, Entry("TRAILER!!!", mode=0)], start=1):
        name = entry.name.encode() + b"\0"
        fields = (number, entry.mode, 0, 0, 1, 0, len(entry.content), 0, 0, 0, 0, len(name), 0)
        whole += b"070701" + b"".join(b"%08x" % field for field in fields) + name
        whole += b"\0" * (-len(whole) % 4) + entry.content
        whole += b"\0" * (-len(whole) % 4)
    return bytes(whole)


def boot_modules(folder: Path, wanted: Sequence[str] = BOOT_MODULES) -> list[Entry]:
    """Give the modules needed to reach the root, unpacked, each after those it depends on.

    ``folder`` is a kernel's /lib/modules/RELEASE, with depmod's ``modules.dep``.
    """
    paths: dict[str, str] = {}
    needs: dict[str, list[str]] = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        path, _, needed = line.partition(": ")
        path = path.rstrip(":")
        paths[_module(path)] = path
        needs[path] = needed.split()
    order: dict[str, None] = {}
    for path in (paths[name] for name in wanted if name in paths):  # or else built in
        order |= dict.fromkeys([*reversed(needs[path]), path])
    contents = ((path, (folder / path).read_bytes()) for path in order)
    return [Entry(f"modules/{_module(path)}", _unpacked(packed)) for path, packed in contents]


def _module(path: str) -> str:
    return re.sub(r"\.ko.*", "", Path(path).name).replace("-", "_")


def initramfs(
    *,
    init: Path,
    busybox: Path,
    modules: Path,
    settings: dict[str, str],
    wanted: Sequence[str] = BOOT_MODULES,
) -> bytes:
    """Pack the first root: busybox, the modules, the script ``init``, and its settings."""
    folder = stat.S_IFDIR | 0o755
    loaded = boot_modules(modules, wanted)
    names = " ".join(entry.name for entry in loaded)
    lines = [f"{name}={shlex.quote(value)}" for name, value in settings.items()]
    return archive(
        [
            *(Entry(name, mode=folder) for name in ("bin", "dev", "modules")),
            Entry("bin/busybox", busybox.read_bytes()),
            Entry("init", init.read_bytes()),
            Entry("settings", "\n".join([*lines, f"modules={names!r}", ""]).encode()),
            *loaded,
        ]
    )
