# SPDX-License-Identifier: Apache-2.0
"""A file is a tool's if it holds all of its markers, wherever the windows cut them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.story import name, tool

from sensor.core.content import Markers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.tools import Tool

from dataclasses import replace

FIRST, SECOND = "FIRST_MARKER_1", "SECOND_MARKER_22"
ONE = replace(tool("one", "v", name("one")), contents=(FIRST, SECOND))
TWO = replace(tool("two", "v", name("two")), contents=("THIRD_MARKER_3",))
MARKERS = Markers([ONE, TWO, tool("three", "v", name("three"))])
BYTES = b"\x00" * 30 + FIRST.encode() + b"\xff" * 50 + SECOND.encode() + b"end"


def cut(data: bytes, size: int) -> Iterator[bytes]:
    """Cut data into windows."""
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 13, 16, 64, 1000])
def test_windows_may_cut_a_marker(size: int) -> None:
    """Wherever."""
    assert MARKERS.search(cut(BYTES, size)) is ONE


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", None),
        (FIRST.encode(), None),
        (b"THIRD_MARKER_3", TWO),
        (BYTES.replace(b"22", b"23"), None),
        (b"THIRD_MARKER_" + b"x" * 99 + b"3", None),
    ],
)
def test_all_of_them_have_to_be_there(data: bytes, found: Tool | None) -> None:
    """One of two is none."""
    assert MARKERS.search(cut(data, 20)) is found


def test_what_follows_is_not_read() -> None:
    """A known file costs no more than it takes."""

    def windows() -> Iterator[bytes]:
        yield BYTES
        raise AssertionError

    assert MARKERS.search(windows()) is ONE
    assert Markers([]).search([b"x"]) is None


@pytest.mark.parametrize("size", [3, 1000])
def test_a_wide_text_is_looked_for_as_utf_16(size: int) -> None:
    """Amp's program holds its script so."""
    wide = replace(tool("wide", "v", name("wide")), contents=("wide:SOME_MARKER_1",))
    markers = Markers([wide])
    assert markers.search(cut(b"x" + "SOME_MARKER_1".encode("utf-16-le"), size)) is wide
    assert markers.search(cut(b"wide:SOME_MARKER_1 SOME_MARKER_1", size)) is None
