# SPDX-License-Identifier: Apache-2.0
"""A file is read if it is the one that was meant, and stays it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from sensor.core.facts import File, Process
from sensor.edge import image_file
from sensor.edge.image_file import WINDOW_BYTES, ChangedError, check, held, held_at, windows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GONE = Process(2**22 + 1, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a file of one window, a hole, and a few bytes more."""
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.write(b"a" * WINDOW_BYTES)
        file.seek(100 * WINDOW_BYTES)
        file.write(b"end")
    return path


@pytest.fixture
def handle(path: Path) -> Iterator[int]:
    """Hold it."""
    handle = held_at(str(path))
    assert handle is not None
    yield handle
    os.close(handle)


def file_of(path: Path) -> File:
    """Give what the kernel would tell of a file."""
    now = path.stat()
    return File(dev=now.st_dev, ino=now.st_ino, ctime_ns=now.st_ctime_ns, size_bytes=now.st_size)


def test_what_a_process_runs_is_held_though_it_is_gone_from_its_place() -> None:
    """And of one that has ended there is nothing to hold."""
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as process:
        found = held(Process(process.pid, 1))
        process.communicate()
    assert found is not None
    os.close(found)
    assert held(GONE) is None


def test_a_link_is_not_followed(tmp_path: Path, path: Path) -> None:
    """The kernel told where the file itself lay."""
    (tmp_path / "link").symlink_to(path)
    handle = held_at(str(tmp_path / "link"))
    assert handle is not None
    with pytest.raises(ChangedError):
        check(handle, file_of(path))
    os.close(handle)
    assert held_at(str(tmp_path / "nothing")) is None


def test_all_but_holes_is_read(path: Path, handle: int) -> None:
    """What is behind a hole too, and the hole takes no time."""
    data = b"".join(windows(handle, file_of(path)))
    assert data.endswith(b"end")
    assert len(data) < 3 * WINDOW_BYTES


def test_a_file_system_without_holes_is_read_byte_by_byte(
    path: Path, handle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SEEK_DATA is an error there."""

    def refuse(_handle: int, _at: int, _how: int) -> int:
        raise OSError(22, "Invalid argument")

    os.truncate(path, 3 * WINDOW_BYTES)
    monkeypatch.setattr(os, "lseek", refuse)
    assert sum(map(len, windows(handle, file_of(path)))) == 3 * WINDOW_BYTES


def test_no_more_is_read_than_is_bearable(
    path: Path, handle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file can be as long as its owner likes."""
    monkeypatch.setattr(image_file, "MOST_BYTES", 10)
    assert list(windows(handle, file_of(path))) == [b"a" * 10]


def test_another_file_is_not_read(tmp_path: Path, handle: int) -> None:
    """A process may run something else by the time that somebody looks."""
    other = tmp_path / "other"
    other.write_bytes(b"x")
    with pytest.raises(ChangedError):
        next(windows(handle, file_of(other)))


def test_a_file_that_changes_while_it_is_read_is_not_judged(path: Path, handle: int) -> None:
    """What was read may be of either."""
    file = file_of(path)
    reading = windows(handle, file)
    next(reading)
    os.utime(path)
    path.write_bytes(b"")
    with pytest.raises(ChangedError):
        list(reading)


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    """Nobody waits for the other end of a pipe."""
    os.mkfifo(tmp_path / "pipe")
    handle = held_at(str(tmp_path / "pipe"))
    assert handle is not None
    with pytest.raises(ChangedError):
        next(windows(handle, File(dev=0, ino=0, ctime_ns=0, size_bytes=0)))
    os.close(handle)
