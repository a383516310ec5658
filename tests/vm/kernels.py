# SPDX-License-Identifier: Apache-2.0
"""The kernels to test on, and the cache of what was unpacked of each.

A kernel in the cache is a folder of its release's name: ``vmlinux``, and
``lib/modules/RELEASE`` with the kernel's ``config``, without the drivers that no
guest has hardware for, and without the kernel headers. A symbolic link of the
kernel's short name says which release it stood for when the mirror was last asked.
A release that no name stands for any more goes when nobody uses it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vm.image import vmlinux
from vm.mirror import Suite, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

# How long the mirror is not asked again whether it has a newer build.
FRESH_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Wanted:
    """A kernel as Debian names it: the first of ``suites`` that has ``package`` gives it."""

    name: str
    package: str
    suites: tuple[str, ...]
    always: bool = False


WANTED = (
    Wanted("6.1", "linux-image-amd64", ("bookworm-security", "bookworm"), always=True),
    Wanted("6.12", "linux-image-6.12-amd64", ("bookworm-security", "bookworm"), always=True),
    Wanted("5.10", "linux-image-amd64", ("bullseye-security", "bullseye")),
    Wanted("debian13", "linux-image-amd64", ("trixie-security", "trixie")),
    Wanted("newest", "linux-image-amd64", ("sid",)),
)


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel in the cache."""

    name: str
    release: str
    folder: Path

    @property
    def image(self) -> Path:
        """The ELF file that QEMU starts; the boot loader's stage is skipped."""
        return self.folder / "vmlinux"

    @property
    def modules(self) -> Path:
        """What the guest has as /lib/modules/RELEASE."""
        return self.folder / "lib/modules" / self.release

    @property
    def has_disk(self) -> bool:
        """Whether the module for a guest's disk was unpacked: older caches are without it."""
        return any((self.modules / "kernel/drivers/block").glob("virtio_blk.ko*"))

    @contextmanager
    def used(self) -> Iterator[None]:
        """Keep the kernel in the cache meanwhile."""
        with locked(self.folder, fcntl.LOCK_SH):
            yield


@contextmanager
def locked(folder: Path, how: int) -> Iterator[None]:
    """Hold a lock on the folder, which the end of the process gives back too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def kernel(wanted: Wanted, cache: Path) -> Kernel:
    """Take the kernel from the cache, or else from the mirror.

    One process asks the mirror at a time; the next one finds what it has got.

    Raises:
        UnavailableError: Neither has it.

    """
    with locked(cache, fcntl.LOCK_EX):
        return _kernel(wanted, cache)


def _kernel(wanted: Wanted, cache: Path) -> Kernel:
    link = cache / wanted.name
    cached = Kernel(wanted.name, str(link.readlink()), link.resolve()) if link.exists() else None
    if cached and cached.has_disk and time.time() - link.lstat().st_mtime < FRESH_S:
        return cached
    try:
        return _from_mirror(wanted, cache)
    except UnavailableError as error:
        if not cached:
            raise
        print(f"{wanted.name}: {error}; takes {cached.release} from the cache")
        return cached


def _from_mirror(wanted: Wanted, cache: Path) -> Kernel:
    suite, packages = _look_up(wanted, cache)
    [image, *_] = [package for package in packages if package.startswith("linux-image-")]
    release = image.removeprefix("linux-image-")
    folder = cache / release
    for left in cache.glob(".new-*"):  # by one that was killed
        shutil.rmtree(left)
    found = Kernel(wanted.name, release, folder)
    if not found.has_disk:
        print(f"{wanted.name}: fetches {' '.join(packages)} from {suite.name}", flush=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".new-") as scratch:
            fresh = Path(scratch) / release
            _unpack(suite.download(packages, Path(scratch)), fresh, release)
            if folder.exists():
                folder.rename(Path(scratch) / "old")
            fresh.rename(folder)
    fresh_link = cache / f".{wanted.name}.{os.getpid()}"
    fresh_link.symlink_to(release)
    fresh_link.replace(cache / wanted.name)
    forget_unnamed(cache)
    return found


def forget_unnamed(cache: Path) -> None:
    """Remove the releases that no link stands for, but for those in use."""
    named = {link.resolve() for link in cache.iterdir() if link.is_symlink()}
    for folder in {image.parent.resolve() for image in cache.glob("*/vmlinux")} - named:
        with suppress(BlockingIOError), locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            shutil.rmtree(folder)


def _look_up(wanted: Wanted, cache: Path) -> tuple[Suite, list[str]]:
    reasons = []
    for name in wanted.suites:
        suite = Suite(name, cache / "apt" / name)
        try:
            suite.update()
            return suite, suite.packages(wanted.package)
        except UnavailableError as error:
            reasons.append(str(error))
    raise UnavailableError("; ".join(reasons))


def _unpack(packages: list[Path], into: Path, release: str) -> None:
    into.mkdir()
    for package in packages:
        with (
            subprocess.Popen(
                ["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE
            ) as unpacker,
            tarfile.open(fileobj=unpacker.stdout, mode="r|") as archive,
        ):
            for member in archive:
                if is_wanted(member.name):
                    archive.extract(member, into)
    if (into / "usr/lib").exists():  # since Debian 13 modules are packed there
        (into / "usr/lib").rename(into / "lib")
    packed = next(into.glob("**/vmlinuz*"))
    (into / "vmlinux").write_bytes(vmlinux(packed.read_bytes()))
    for config in into.glob("boot/config-*"):  # newer kernels have it there themselves
        config.rename(into / "lib/modules" / release / "config")
    for rest in (into / "boot", into / "usr"):
        shutil.rmtree(rest, ignore_errors=True)
    subprocess.run(["/sbin/depmod", "-b", into, release], check=True, capture_output=True)


def is_wanted(name: str) -> bool:
    """Tell whether a packed file serves in a guest: ``./lib/modules/RELEASE/kernel/net/...``."""
    _, modules, below = name.partition("/modules/")
    match below.split("/")[1:]:
        case ["kernel", "drivers", "net" | "virtio", file]:
            return ".ko" in file
        case ["kernel", "drivers", "block", file]:
            return file.startswith("virtio_blk.ko")
        case ["kernel", "drivers" | "sound", *_] | ["build" | "source", *_]:
            return False
        case _:
            return bool(modules) or Path(name).name.startswith(("vmlinuz", "config-"))
