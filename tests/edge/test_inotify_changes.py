# SPDX-License-Identifier: Apache-2.0
"""What becomes of a file is told, once, under each name that it was given."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sensor.edge import inotify_changes as module
from sensor.edge.inotify_changes import Changes
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def changes() -> Iterator[Changes[str]]:
    """Give a watcher of nothing."""
    changes: Changes[str] = Changes()
    yield changes
    changes.close()


def watch(changes: Changes[str], path: Path, name: str) -> bool:
    """Watch a file by a descriptor that opens nothing."""
    handle = os.open(path, os.O_PATH)
    try:
        return changes.watch(handle, name)
    finally:
        os.close(handle)


def write(path: Path) -> None:
    """Change what is in it."""
    path.write_text("another")


def touch(path: Path) -> None:
    """Change nothing but a time."""
    os.utime(path)


def rename(path: Path) -> None:
    """Move it away."""
    path.rename(path.with_name("moved"))


def replace(path: Path) -> None:
    """Put another file in its place."""
    other = path.with_name("other")
    other.touch()
    other.rename(path)


def remove(path: Path) -> None:
    """Remove it."""
    path.unlink()


@pytest.mark.parametrize("change", [write, touch, rename, replace, remove])
def test_each_change_is_told_once(
    changes: Changes[str], tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """Under all names; another file is left alone, and reading is no change."""
    path, other = tmp_path / "x", tmp_path / "y"
    path.write_text("text")
    other.touch()
    assert all([watch(changes, path, "a"), watch(changes, path, "b"), watch(changes, other, "c")])
    assert path.read_text() == "text"
    assert list(changes.take()) == []
    change(path)
    assert sorted(changes.take()) == ["a", "b"]
    if path.exists():
        write(path)
    assert list(changes.take()) == []


def test_the_oldest_make_room(
    changes: Changes[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are so many files; one that is watched again is not the oldest any more."""
    monkeypatch.setattr(module, "WATCHED", 2)
    paths = [tmp_path / name for name in "xyz"]
    for path in paths:
        path.touch()
    for at in (0, 1, 0, 2):
        watch(changes, paths[at], paths[at].name)
    assert changes.crowded_out() == {"y"}
    assert changes.crowded_out() == set()
    for path in paths:
        write(path)
    assert set(changes.take()) == {"x", "z"}


def test_what_cannot_be_watched_is_not(changes: Changes[str]) -> None:
    """A descriptor that is none leads nowhere."""
    assert changes.watch(10**6, "a") is False


def test_without_room_for_a_watcher_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel has a bound for each user."""
    monkeypatch.setattr("sensor.edge.inotify.ctypes.CDLL", lambda *_, **__: _Full())
    with pytest.raises(SensorError, match="cannot watch files"):
        Changes()


class _Full:
    """A libc that has no watcher left."""

    @staticmethod
    def inotify_init1(_: int) -> int:
        """Refuse."""
        return -1


def test_names_of_one_file_are_bounded_as_files_are(
    changes: Changes[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is run in ever new mount namespaces has ever more; the oldest file makes room."""
    monkeypatch.setattr(module, "NAMES", 4)
    old, many = tmp_path / "old", tmp_path / "many"
    old.touch()
    many.touch()
    assert watch(changes, old, "old")
    assert all(watch(changes, many, name) for name in "abcd")
    assert changes.crowded_out() == {"old"}
    assert not watch(changes, many, "e")
    assert changes.crowded_out() == set("abcde")
    assert watch(changes, many, "f")
    write(many)
    assert list(changes.take()) == ["f"]
