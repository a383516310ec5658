# SPDX-License-Identifier: Apache-2.0
"""One descriptor tells what happens to what is watched through it."""

from __future__ import annotations

import os
from contextlib import closing
from select import select
from typing import TYPE_CHECKING

import pytest

from sensor.edge.inotify import Inotify
from sensor.errors import SensorError

if TYPE_CHECKING:
    from pathlib import Path

_CREATE = 0x100  # include/uapi/linux/inotify.h


def is_readable(one: Inotify) -> bool:
    """Tell whether something has happened."""
    return bool(select([one], [], [], 0)[0])


def test_what_happens_is_read_once(tmp_path: Path) -> None:
    """And nothing is there before, nor after."""
    with closing(Inotify("folders")) as one:
        assert one.add(os.fsencode(tmp_path), _CREATE) is not None
        assert (is_readable(one), one.read()) == (False, b"")
        (tmp_path / "file").touch()
        assert is_readable(one)
        assert b"file" in one.read()
        assert (is_readable(one), one.read()) == (False, b"")


def test_what_is_watched_no_longer_is_not_told(tmp_path: Path) -> None:
    """Once what the kernel says of that has been read; twice is no error."""
    with closing(Inotify("folders")) as one:
        number = one.add(os.fsencode(tmp_path), _CREATE)
        assert number is not None
        one.remove(number)
        one.remove(number)
        one.read()
        (tmp_path / "file").touch()
        assert one.read() == b""


def test_what_is_not_there_cannot_be_watched(tmp_path: Path) -> None:
    """Which is no error."""
    with closing(Inotify("files")) as one:
        assert one.add(os.fsencode(tmp_path / "none"), _CREATE) is None


def test_no_room_for_a_watcher_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what was to be watched."""

    class Full:
        def inotify_init1(self, _flags: int) -> int:
            return -1

    monkeypatch.setattr("sensor.edge.inotify.ctypes.CDLL", lambda *_, **__: Full())
    with pytest.raises(SensorError, match=r"cannot watch files: .*; raise fs\.inotify\.max_user"):
        Inotify("files")
