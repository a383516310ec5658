# SPDX-License-Identifier: Apache-2.0
"""Kernels from the cache."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from vm import kernels
from vm.guest import CHECKOUT
from vm.kernels import FRESH_S, Kernel, Wanted, forget_unnamed, is_wanted, kernel

if TYPE_CHECKING:
    from pathlib import Path

# Has no suites to ask, so that the mirror never has it.
WANTED = Wanted("6.1", "linux-image-amd64", ())
RELEASE = "6.1.0-1-amd64"


def test_make_knows_the_names() -> None:
    """It looks at what it is given before it sets anything up."""
    makefile = (CHECKOUT / "Makefile").read_text("utf-8")
    assert f"KERNELS       := {' '.join(one.name for one in kernels.WANTED)}\n" in makefile


@pytest.mark.parametrize("age_s", [0, FRESH_S + 60], ids=["fresh", "old, and no mirror"])
def test_a_cached_kernel_serves(tmp_path: Path, age_s: int) -> None:
    """The mirror is asked once a day, and one that does not answer keeps nobody from testing."""
    disk = tmp_path / RELEASE / "lib/modules" / RELEASE / "kernel/drivers/block/virtio_blk.ko"
    disk.parent.mkdir(parents=True)
    disk.touch()
    link = tmp_path / WANTED.name
    link.symlink_to(RELEASE)
    then = time.time() - age_s
    os.utime(link, (then, then), follow_symlinks=False)
    assert kernel(WANTED, tmp_path) == Kernel("6.1", RELEASE, tmp_path / RELEASE)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("./boot/vmlinuz-6.1.0-1-amd64", True),
        ("./boot/config-6.1.0-1-amd64", True),
        ("./boot/System.map-6.1.0-1-amd64", False),
        ("./lib/modules/6.1.0-1-amd64/modules.order", True),
        ("./usr/lib/modules/7.2.13/kernel/net/9p/9pnet.ko.xz", True),
        ("./lib/modules/6.1.0-1-amd64/kernel/drivers/net/veth.ko", True),
        ("./lib/modules/6.1.0-1-amd64/kernel/drivers/net/ethernet/intel/e1000.ko", False),
        ("./lib/modules/6.1.0-1-amd64/kernel/drivers/block/virtio_blk.ko", True),
        ("./lib/modules/6.1.0-1-amd64/kernel/drivers/block/nbd.ko", False),
        ("./lib/modules/6.1.0-1-amd64/kernel/drivers/gpu/drm/drm.ko", False),
        ("./lib/modules/6.1.0-1-amd64/kernel/sound/soundcore.ko", False),
        ("./lib/modules/6.1.0-1-amd64/build/Makefile", False),
        ("./lib/modules/6.1.0-1-amd64/build", False),
        ("./usr/share/doc/linux-image/copyright", False),
    ],
)
def test_only_what_serves_a_guest_is_unpacked(name: str, expected: bool) -> None:  # noqa: FBT001  # a table's column
    """The kernel, its lists, and modules for what a guest has; never the kernel headers."""
    assert is_wanted(name) is expected


def test_a_release_that_no_name_stands_for_goes_unless_it_is_used(tmp_path: Path) -> None:
    """The cache keeps to what is tested; a guest that runs keeps its kernel."""
    releases = [
        Kernel(WANTED.name, f"6.1.0-{number}-amd64", tmp_path / f"{number}") for number in range(3)
    ]
    for release in releases:
        release.folder.mkdir()
        release.image.touch()
    (tmp_path / WANTED.name).symlink_to(releases[0].folder.name)
    with releases[1].used():
        forget_unnamed(tmp_path)
        assert [release.folder.exists() for release in releases] == [True, True, False]
    forget_unnamed(tmp_path)
    assert [release.folder.exists() for release in releases] == [True, False, False]
