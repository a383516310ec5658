# SPDX-License-Identifier: Apache-2.0
"""Debian's root file systems, made of packages from the mirror that this machine's apt uses.

``unpack`` fills a folder; what has been made is kept as an archive in the cache, one for a
suite with its packages, and made anew once a week. A disk is made of a folder by ``disk``.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from vm.kernels import locked
from vm.mirror import UnavailableError, repository

if TYPE_CHECKING:
    from collections.abc import Sequence

# How long an archive serves before the mirror is asked for newer packages, and is kept at all.
FRESH_S = 7 * 24 * 3600
KEPT_S = 21 * 24 * 3600
# 250 packages took 90 s on an idle machine.
MADE_WITHIN_S = 900
# What nobody reads in a guest; a third of the size.
LEFT_OUT = ("man", "doc", "locale", "info", "lintian", "bug")


def unpack(suite: str, packages: Sequence[str], into: Path, cache: Path) -> None:
    """Fill the empty folder ``into`` with a Debian of this suite that has these packages.

    It is ``minbase``: Essential, apt, and what the packages depend on. One process makes an
    archive at a time; the next one finds it.

    Raises:
        UnavailableError: The mirror does not have it, and neither has the cache.

    """
    folder = cache / "debian"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = "\n".join(sorted(set(packages)))
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:12]
    archive = folder / f"{suite}-{digest}.tar"
    with locked(folder, fcntl.LOCK_EX):
        if not _is_fresh(archive):
            _renew(archive, suite, sorted(set(packages)))
        into.mkdir(parents=True, exist_ok=True)
        _run("tar", "-x", "--numeric-owner", "--xattrs-include=*", "-C", into, "-f", archive)


def disk(root: Path, image: Path, size: str) -> None:
    """Write an ext4 file system with what is in the folder into the file ``image``.

    It has no partition table, so neither a loop device nor a mount is needed.
    """
    _run("/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-d", root, image, size)


def _is_fresh(archive: Path) -> bool:
    return archive.exists() and time.time() - archive.stat().st_mtime < FRESH_S


def _renew(archive: Path, suite: str, packages: Sequence[str]) -> None:
    """Make the archive; one that is old still serves where the mirror does not."""
    try:
        _make(archive, suite, packages)
    except UnavailableError as error:
        if not archive.exists():
            raise
        print(f"{suite}: {error}; takes an older one from the cache")
    for old in archive.parent.glob("*.tar"):
        if old != archive and time.time() - old.stat().st_mtime > KEPT_S:
            old.unlink()


def _make(archive: Path, suite: str, packages: Sequence[str]) -> None:
    sources = [f"deb {repository(name)} {name} main" for name in (suite, f"{suite}-security")]
    print(f"{suite}: makes a root file system with {' '.join(packages)}", flush=True)
    options = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".new-") as scratch:
        fresh = Path(scratch) / "root.tar"
        _run(
            *("mmdebstrap", "--mode=root", "--variant=minbase", "--quiet", "--format=tar"),
            '--aptopt=Acquire::Languages "none"',
            # A mirror's Release file may have run out.
            '--aptopt=Acquire::Check-Valid-Until "false"',
            *options,
            f"--include={','.join(packages)}",
            suite,
            fresh,
            *sources,
        )
        fresh.rename(archive)


def _run(*command: str | Path) -> None:
    """Run the command, which may ask the mirror.

    Raises:
        UnavailableError: It failed, with what it said last, without addresses.

    """
    try:
        subprocess.run(
            command,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=MADE_WITHIN_S,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = error.stdout or ""
        text = said if isinstance(said, str) else said.decode("utf-8", "backslashreplace")
        last = " ".join(" ".join(text.splitlines()[-5:]).split())
        words = " ".join(word for word in last.split() if "://" not in word)
        raise UnavailableError(f"{command[0]} failed: {words or error}") from error
