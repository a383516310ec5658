# SPDX-License-Identifier: Apache-2.0
"""A root has no outside: links are followed in it alone, and only regular files are opened."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from sensor.edge import audit_root
from sensor.edge.audit_root import Root
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def opened(path: Path) -> Iterator[Root]:
    """Open a root."""
    root = Root(path)
    try:
        yield root
    finally:
        root.close()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Make a root with a secret beside it."""
    (tmp_path / "secret").write_text("secret")
    image = tmp_path / "image"
    (image / "etc").mkdir(parents=True)
    (image / "etc/passwd").write_text("inside")
    (image / "var/home").mkdir(parents=True)
    for name, to in {
        "home": "var/home", "abs": "/etc", "up": "../../../..", "out": "../secret", "loop": "loop",
        "a": "b", "b": "a", "etc/back": "../var/../etc/passwd", "outabs": str(tmp_path / "secret"),
    }.items():  # fmt: skip
        (image / name).symlink_to(to)
    return image


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("etc/passwd", "inside"),
        ("/etc/passwd", "inside"),
        ("abs/passwd", "inside"),
        ("etc/back", "inside"),
        ("up/etc/passwd", "inside"),
        ("../../etc/./passwd", "inside"),
        ("out", None),
        ("outabs", None),
        ("up/secret", None),
        ("../secret", None),
        ("loop", None),
        ("a/x", None),
        ("etc", None),
        ("nothing", None),
        ("etc/passwd/x", None),
    ],
)
def test_a_path_is_looked_up_inside(image: Path, path: str, text: str | None) -> None:
    """As chroot(2) would have it."""
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count
    with opened(image) as root:
        assert root.text(path, 100) == text
        assert (root.stat(path) is None) is (text is None and path != "etc")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_folder_is_opened_through_links_inside(image: Path) -> None:
    """And nothing else is."""
    with opened(image) as root:
        fd = root.folder("home")
        assert os.fstat(fd).st_ino == (image / "var/home").stat().st_ino
        os.close(fd)
        for path in ("out", "etc/passwd", "loop", "nothing"):
            with pytest.raises(OSError, match=r"\[Errno"):
                root.folder(path)
        assert root.is_same("up")
        assert root.is_same("/")
        assert not root.is_same("etc")
        assert not root.is_same("nothing")


def test_a_root_has_to_be_a_folder(image: Path) -> None:
    """The error names the option."""
    for path in (image / "nothing", image / "etc/passwd"):
        with pytest.raises(BadInputError, match=f"--root {path}: .*; name a folder"):
            Root(path)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    """Open a folder with all kinds of entries."""
    (tmp_path / "file").write_bytes(b"0123456789\xff")
    os.mkfifo(tmp_path / "fifo")
    os.mknod(tmp_path / "socket", 0o140644)
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").mkdir()
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


@pytest.mark.parametrize("name", ["fifo", "socket", "link", "folder", "nothing"])
def test_only_regular_files_are_opened(folder: int, name: str) -> None:
    """Nobody is waited for, and no device feels it."""
    assert audit_root.text(folder, name, 10) is None
    assert audit_root.tail(folder, name, 10) == b""
    assert list(audit_root.windows(folder, name, 10)) == []


def test_a_file_is_read_up_to_a_limit(folder: int) -> None:
    """From its beginning, its end, or in windows; what is no UTF-8 is replaced."""
    assert audit_root.text(folder, "file", 4) == "0123"
    assert audit_root.text(folder, "file", 1 << 30) == "0123456789�"
    assert audit_root.tail(folder, "file", 3) == b"89\xff"
    assert audit_root.tail(folder, "file", 100) == b"0123456789\xff"
    assert list(audit_root.windows(folder, "file", 9, 4)) == [b"0123", b"4567", b"8"]
    assert audit_root.target(folder, "link") == "file"
    assert audit_root.target(folder, "file") is None


def test_a_file_that_shrinks_meanwhile_ends_sooner(tmp_path: Path, folder: int) -> None:
    """It kills nobody, as it would whoever had mapped it."""
    windows = audit_root.windows(folder, "file", 100, 4)
    assert next(windows) == b"0123"
    (tmp_path / "file").write_bytes(b"")
    assert list(windows) == []


def test_files_of_others_are_read_without_the_right_to_hide_it(
    folder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O_NOATIME takes CAP_FOWNER there: then it is left out."""
    real, flags = os.open, []

    def refusing(name: str, wanted: int, *, dir_fd: int) -> int:
        flags.append(bool(wanted & os.O_NOATIME))
        if wanted & os.O_NOATIME:
            raise PermissionError(1, "Operation not permitted")
        return real(name, wanted, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refusing)
    assert audit_root.text(folder, "file", 2) == "01"
    assert flags == [True, False]
