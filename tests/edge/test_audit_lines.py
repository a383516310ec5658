# SPDX-License-Identifier: Apache-2.0
"""Lines come whole, cut where they are endless, and unpacked within a bound."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING

import pytest

from sensor.edge.audit_lines import LONGEST_BYTES, lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    """Open a folder."""
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def test_lines_are_those_of_the_file(tmp_path: Path, folder: int) -> None:
    """The last one needs no end; what is no UTF-8 is replaced."""
    (tmp_path / "x").write_bytes(b"one\n\ntw\xffo\nthree")
    assert list(lines(folder, "x", 1 << 20)) == ["one", "", "tw�o", "three"]
    assert list(lines(folder, "x", 6)) == ["one", "", "t"]
    assert list(lines(folder, "nothing", 9)) == []


def test_an_endless_line_is_cut_and_the_next_is_whole(tmp_path: Path, folder: int) -> None:
    """It costs what one block costs."""
    (tmp_path / "x").write_bytes(b"a" * (5 << 20) + b"\nnext\n" + b"b" * (3 << 20))
    first, second, third = lines(folder, "x", 1 << 30)
    assert (first, second, third) == ("a" * LONGEST_BYTES, "next", "b" * LONGEST_BYTES)


def test_packed_files_are_unpacked_up_to_the_limit(tmp_path: Path, folder: int) -> None:
    """A small file can hold a large one; one that is damaged ends."""
    packed = gzip.compress(b"one\ntwo\n" + b"\n" * (8 << 20))
    (tmp_path / "x.gz").write_bytes(packed)
    assert sum(1 for _ in lines(folder, "x.gz", 1 << 20)) < 2 << 20
    (tmp_path / "y.gz").write_bytes(b"no gzip")
    assert list(lines(folder, "y.gz", 1 << 20)) == []
    (tmp_path / "z.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    assert list(lines(folder, "z.gz", 1 << 20)) == ["one", "two"]
