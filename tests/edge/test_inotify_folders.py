# SPDX-License-Identifier: Apache-2.0
"""What is made and taken away in a folder is told, in a cgroup hierarchy too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.patience import is_readable
from support.scope import Scope

from sensor.edge.inotify_folders import Folders
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folders() -> Iterator[Folders]:
    """Give a watcher of nothing."""
    folders = Folders()
    yield folders
    folders.close()


def is_told(folders: Folders) -> bool:
    """Tell whether something has happened by now; it is taken."""
    is_told = is_readable(folders, 0)
    folders.take()
    return is_told


def test_a_folder_is_watched_until_others_are(folders: Folders, tmp_path: Path) -> None:
    """What is not there is left out, and what happens is told once."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    folders.watch([one, tmp_path / "missing"])
    assert not is_told(folders)
    (one / "made").mkdir()
    (other / "made").mkdir()
    assert is_told(folders)
    assert not is_told(folders)
    folders.watch([other])
    folders.take()
    (one / "again").mkdir()
    assert not is_told(folders)
    (other / "made").rmdir()
    assert is_told(folders)


def test_a_folder_that_is_made_anew_is_watched_anew(folders: Folders, tmp_path: Path) -> None:
    """Its end is told, and what happens in the next one of its name."""
    folder = tmp_path / "folder"
    folder.mkdir()
    folders.watch([folder])
    folder.rmdir()
    assert is_told(folders)
    folders.watch([folder])
    folder.mkdir()
    assert not is_told(folders)
    folders.watch([folder])
    (folder / "x").mkdir()
    assert is_told(folders)


@pytest.mark.kernel
def test_cgroups_are_told(folders: Folders) -> None:
    """By what is readable."""
    with Scope() as scope:
        folders.watch([scope.path])
        assert not is_told(folders)
        (scope.path / "made").mkdir()
        assert is_told(folders)
        assert not is_told(folders)
        (scope.path / "made").rmdir()
        assert is_told(folders)


def test_a_kernel_without_room_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says what to raise."""

    class Full:
        @staticmethod
        def inotify_init1(_flags: int) -> int:
            return -1

    monkeypatch.setattr("sensor.edge.inotify.ctypes.CDLL", lambda *_, **__: Full())
    with pytest.raises(SensorError, match="max_user_instances"):
        Folders()
