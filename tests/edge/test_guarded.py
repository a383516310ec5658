# SPDX-License-Identifier: Apache-2.0
"""Files that decide what is refused: who may have written them, and how they are written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from support.full import ROOM_BYTES, small_disk

from sensor.edge import guarded
from sensor.errors import BadInputError, SensorError

if TYPE_CHECKING:
    from pathlib import Path

SOMEBODY = 65533


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a file that is as it has to be."""
    path = tmp_path / "policy.toml"
    path.write_text("version = 1\n", "utf-8")
    path.chmod(0o644)
    return path


def refused(path: Path) -> str:
    """Give what is said against a file."""
    with pytest.raises(BadInputError) as problem:
        guarded.read(path)
    return str(problem.value)


def test_a_file_of_root_s_is_read(file: Path) -> None:
    """By a link of root's too."""
    assert guarded.read(file) == "version = 1\n"
    guarded.check(file)
    link = file.with_name("link")
    link.symlink_to(file)
    assert guarded.read(link) == "version = 1\n"


def test_a_file_is_checked_without_reading_it(file: Path) -> None:
    """In the words of a reading; what is in it does not matter."""
    file.write_bytes(b"\xff")
    guarded.check(file)
    file.parent.chmod(0o777)
    with pytest.raises(BadInputError, match="others than root can put files there"):
        guarded.check(file)
    file.parent.chmod(0o755)
    file.chmod(0o666)
    for _ in range(2):
        with pytest.raises(BadInputError) as problem:
            guarded.check(file)
        assert str(problem.value) == refused(file)
        file.unlink(missing_ok=True)


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_file_that_others_can_change_is_refused(file: Path, mode: int) -> None:
    """With what to do about it."""
    file.chmod(mode)
    assert refused(file) == f"{file}: others than root can change it; run chmod go-w {file}"


def test_a_file_in_a_folder_of_others_is_refused(file: Path) -> None:
    """They could put another one there; not so in a folder with the sticky bit."""
    file.parent.chmod(0o777)
    assert "others than root can put files there" in refused(file)
    file.parent.chmod(0o1777)
    assert guarded.read(file)


@pytest.mark.kernel
def test_a_file_of_somebody_else_is_refused(file: Path) -> None:
    """Its owner can always change it; that of the folder can replace it."""
    os.chown(file, SOMEBODY, -1)
    assert f"belongs to the uid {SOMEBODY}, who could change it" in refused(file)
    os.chown(file, 0, -1)
    os.chown(file.parent, SOMEBODY, -1)
    assert "others than root can put files there" in refused(file)


def test_what_is_no_text_is_refused(file: Path) -> None:
    """Missing, a folder, a pipe, not UTF-8, or far too large."""
    assert "No such file" in refused(file.with_name("missing"))
    assert "No such file" in refused(file.with_name("missing") / "policy.toml")
    assert "Is a directory" in refused(file.parent)
    device = file.with_name("null")
    device.symlink_to("/dev/null")
    assert "is no file" in refused(device)
    file.write_bytes(b"\xff")
    assert "write it in UTF-8" in refused(file)
    with file.open("wb") as large:
        large.truncate(guarded.LARGEST_BYTES + 1)
    assert "name another file" in refused(file)


def test_what_is_written_is_there_as_a_whole(tmp_path: Path) -> None:
    """For root alone; nothing else is left behind."""
    path = tmp_path / "blocks.json"
    for text in "first", "second, longer":
        guarded.write(path, text)
        assert guarded.read(path) == text
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["blocks.json"]


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    """A link in the way leads nowhere."""
    path = tmp_path / "blocks.json"
    guarded.write(path, "first")
    trap = tmp_path / "trap"
    (tmp_path / ".blocks.json.new").symlink_to(trap)
    with pytest.raises(SensorError, match="as it was before"):
        guarded.write(path, "second")
    assert guarded.read(path) == "first"
    assert not trap.exists()
    with pytest.raises(SensorError, match="as it was before"):
        guarded.write(tmp_path / "missing" / "x", "text")


@pytest.mark.kernel
def test_a_full_disk_keeps_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    """What was begun is taken away: it would keep the disk full."""
    with small_disk(tmp_path / "disk") as disk:
        path = disk / "blocks.json"
        guarded.write(path, "first")
        with pytest.raises(SensorError, match="No space left on device; it is as it was before"):
            guarded.write(path, "x" * ROOM_BYTES)
        assert guarded.read(path) == "first"
        assert list(disk.iterdir()) == [path]
