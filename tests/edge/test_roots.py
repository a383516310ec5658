# SPDX-License-Identifier: Apache-2.0
"""Roots of processes are held once, whoever has them, and told apart by mount namespace."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.facts import Process
from sensor.edge.roots import Roots

if TYPE_CHECKING:
    from collections.abc import Iterator


def process(pid: int) -> Process:
    """Give a process, whenever it began."""
    return Process(pid, 0)


def open_handles() -> set[str]:
    """Name the descriptors of this process."""
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_one_root_is_held_once(tmp_path: Path) -> None:
    """And is let go with the last who needs it."""
    roots, before = Roots(), open_handles()
    first, second = roots.hold(process(os.getpid())), roots.hold(process(os.getpid()))
    assert first is not None
    assert first == second
    (tmp_path / "x").touch()
    assert Path(f"/proc/self/fd/{first}{tmp_path}/x").exists()
    roots.release(first)
    assert Path(f"/proc/self/fd/{first}{tmp_path}").exists()
    roots.release(first)
    assert open_handles() == before
    again = roots.hold(process(os.getpid()))
    assert again is not None
    roots.release(again)


def test_one_that_has_ended_has_none() -> None:
    """Its folder in /proc is gone."""
    assert Roots().hold(process(2**22 + 1)) is None


def others() -> Iterator[subprocess.Popen[str]]:
    """Start somebody with mounts of its own, who goes on until its input ends."""
    line = "mount -t tmpfs tmpfs /mnt && : > /mnt/theirs && echo there && exec cat"
    with subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", line],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout
        assert other.stdout.readline() == "there\n"
        yield other


def test_what_others_have_mounted_is_theirs() -> None:
    """The same folder in another namespace is another root."""
    for other in others():
        roots = Roots()
        ours, theirs = roots.hold(process(os.getpid())), roots.hold(process(other.pid))
        assert ours is not None
        assert theirs is not None
        assert ours != theirs
        assert Path(f"/proc/self/fd/{theirs}/mnt/theirs").exists()
        assert not Path(f"/proc/self/fd/{ours}/mnt/theirs").exists()
        roots.release(ours)
        roots.release(theirs)
