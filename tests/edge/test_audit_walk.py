# SPDX-License-Identifier: Apache-2.0
"""A walk sees every name once, follows no link, and leaves what nobody could go through."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.edge import audit_walk
from sensor.edge.audit_root import Root
from sensor.edge.audit_walk import Left, walk

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def walked(
    path: Path,
    top: str = "",
    *,
    enters: Callable[[str], bool] = lambda _path: True,
    deep: bool = True,
) -> tuple[set[str], list[tuple[str, Left]]]:
    """Walk; return the paths, and what was left."""
    root, left = Root(path), []
    found = walk(
        root, top, enters=enters, left=lambda path, why: left.append((path, why)), deep=deep
    )
    names = {"/".join(filter(None, (one.folder, one.entry.name))) for one in found}
    root.close()
    return names, left


def test_every_name_is_seen(tmp_path: Path) -> None:
    """Folders before what is in them; links are names and no more."""
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").touch()
    (tmp_path / "d").symlink_to("a")
    (tmp_path / "up").symlink_to("..")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count
    assert walked(tmp_path) == ({"a", "a/b", "a/b/c", "d", "up"}, [])
    assert walked(tmp_path, "a") == ({"b", "b/c"}, [])
    assert walked(tmp_path, "d") == ({"b", "b/c"}, [])
    assert walked(tmp_path, deep=False) == ({"a", "d", "up"}, [])
    assert walked(tmp_path, enters=lambda path: path != "a/b") == ({"a", "a/b", "d", "up"}, [])
    assert walked(tmp_path, "nothing") == (set(), [("", Left.UNREADABLE)])
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_what_is_too_deep_or_too_wide_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is gone through all the same."""
    monkeypatch.setattr(audit_walk, "DEEPEST", 3)
    monkeypatch.setattr(audit_walk, "WIDEST", 5)
    (tmp_path / "a/b/c/d").mkdir(parents=True)
    (tmp_path / "wide").mkdir()
    for number in range(9):
        (tmp_path / f"wide/{number}").touch()
    names, left = walked(tmp_path)
    assert {"a", "a/b", "a/b/c", "wide"} <= names
    assert "a/b/c/d" not in names
    assert sum(name.startswith("wide/") for name in names) == 5
    assert sorted(left, key=str) == [("a/b/c", Left.DEEP), ("wide", Left.WIDE)]


def test_a_folder_that_is_gone_or_closed_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happens between its name and its opening."""
    for name in ("gone", "closed", "fine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").touch()

    def enters(path: str) -> bool:
        if path == "gone":
            (tmp_path / "gone/x").unlink()
            (tmp_path / "gone").rmdir()
        return True

    real = os.scandir

    def refusing(fd: int) -> object:
        if Path(f"/proc/self/fd/{fd}").readlink().name == "closed":
            raise OSError(5, "Input/output error")
        return real(fd)

    monkeypatch.setattr(os, "scandir", refusing)
    names, left = walked(tmp_path, enters=enters)
    assert names == {"gone", "closed", "fine", "fine/x"}
    assert sorted(left) == [("closed", Left.UNREADABLE), ("gone", Left.UNREADABLE)]


def test_names_that_cannot_be_read_end_their_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged disk is no reason to stop."""

    class Damaged:
        def __next__(self) -> object:
            raise OSError(5, "Input/output error")

        def __iter__(self) -> Damaged:
            return self

    monkeypatch.setattr(os, "scandir", lambda _fd: Damaged())
    assert walked(tmp_path) == (set(), [("", Left.UNREADABLE)])
