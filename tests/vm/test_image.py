# SPDX-License-Identifier: Apache-2.0
"""What a guest boots from."""

from __future__ import annotations

import gzip
import lzma
from typing import TYPE_CHECKING

import pytest

from vm.image import Entry, archive, boot_modules, vmlinux

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ELF = b"\x7fELF" + bytes(range(256)) * 8


def bzimage(payload: bytes) -> bytes:
    """Give a kernel image with this payload after three sectors of set-up code."""
    setup = bytearray(3 * 512)
    setup[0x1F1] = 2
    setup[0x248:0x250] = (100).to_bytes(4, "little") + len(payload).to_bytes(4, "little")
    return bytes(setup) + bytes(100) + payload + b"what follows the payload"


def sized(packed: bytes) -> bytes:
    """Give packed bytes as the kernel's build writes them, with the size behind."""
    return packed + len(ELF).to_bytes(4, "little")


@pytest.mark.parametrize(
    "pack",
    [
        lambda elf: sized(lzma.compress(elf)),
        gzip.compress,
        lambda elf: elf,
    ],
    ids=["xz", "gzip", "plain"],
)
def test_the_elf_file_of_a_kernel_is_found(pack: Callable[[bytes], bytes]) -> None:
    """However the build has packed it; zstd, which is a program, is tried by the newest kernel."""
    assert vmlinux(bzimage(pack(ELF))) == ELF


def test_a_kernel_packed_in_an_unknown_way_is_an_error() -> None:
    """What is no ELF file is not given to QEMU."""
    with pytest.raises(ValueError, match="no ELF file"):
        vmlinux(bzimage(b"LZ4 or so"))


def test_an_archive_holds_every_entry_at_a_multiple_of_four() -> None:
    """As the kernel's unpacker expects it, and ended by the trailer."""
    whole = archive([Entry("bin", mode=0o40755), Entry("init", b"#!/bin/sh\n"), Entry("a", b"1")])
    found, at = [], 0
    while at < len(whole):
        fields = [int(whole[at + n : at + n + 8], 16) for n in range(6, 110, 8)]
        assert whole[at : at + 6] == b"070701"
        name_bytes, content_bytes = fields[11], fields[6]
        content_at = (at + 110 + name_bytes + 3) // 4 * 4
        name = whole[at + 110 : at + 110 + name_bytes].rstrip(b"\0")
        found.append((name, fields[1], whole[content_at : content_at + content_bytes]))
        at = (content_at + content_bytes + 3) // 4 * 4
    assert found == [
        (b"bin", 0o40755, b""),
        (b"init", 0o100755, b"#!/bin/sh\n"),
        (b"a", 0o100755, b"1"),
        (b"TRAILER!!!", 0, b""),
    ]


def test_modules_come_after_those_they_depend_on(tmp_path: Path) -> None:
    """Each once, unpacked; what the kernel has built in is not looked for."""
    (tmp_path / "modules.dep").write_text(
        "9p.ko.xz: 9pnet.ko.xz netfs.ko\n"
        "9pnet.ko.xz:\n"
        "9pnet_virtio.ko: virtio-ring.ko 9pnet.ko.xz\n"
        "netfs.ko:\n"
        "virtio-ring.ko:\n"
        "sound.ko:\n"
    )
    for name in ("9pnet_virtio", "netfs", "virtio-ring", "sound"):
        (tmp_path / f"{name}.ko").write_bytes(name.encode())
    for name in ("9p", "9pnet"):
        (tmp_path / f"{name}.ko.xz").write_bytes(lzma.compress(name.encode()))
    assert [(entry.name, entry.content) for entry in boot_modules(tmp_path)] == [
        ("modules/9pnet", b"9pnet"),
        ("modules/virtio_ring", b"virtio-ring"),
        ("modules/9pnet_virtio", b"9pnet_virtio"),
        ("modules/netfs", b"netfs"),
        ("modules/9p", b"9p"),
    ]
