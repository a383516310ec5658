# SPDX-License-Identifier: Apache-2.0
"""What is no UTF-8 is spelled by its bytes, and everything else by its text."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from support.story import exec_

from sensor.core.spelling import as_spelled, spelling


@pytest.mark.parametrize("exe", [b"/opt/x", "/opt/ü".encode(), rb"/opt/\xff", b""])
def test_text_needs_no_spelling(exe: bytes) -> None:
    """Also one that looks as if it stood for a byte: it is a name of its own."""
    assert spelling(exe, b"/", None, (b"x",)) is None


@pytest.mark.parametrize("place", range(4))
def test_a_byte_that_is_no_text_has_all_spelled(place: int) -> None:
    """Each path as the kernel would take it."""
    raw = [b"/opt/x", b"/srv", b"./x", b"x"]
    raw[place] += b"\xff"
    by = spelling(raw[0], raw[1], raw[2], (raw[3], "ü".encode()))
    assert by
    found = [os.fsencode(one or "") for one in (by.exe, by.cwd, by.name_typed, *by.argv)]
    assert found == [*raw, "ü".encode()]


def test_what_is_not_known_stays_so() -> None:
    """A late fact has no name as typed."""
    by = spelling(b"/\xff", None, None, ())
    assert by
    assert (by.cwd, by.name_typed, by.argv) == (None, None, ())


def test_an_image_is_found_by_its_spelling() -> None:
    """Where it has one."""
    image = exec_(9, r"/opt/\xff/codex")
    assert as_spelled(image) is image
    by = spelling(b"/opt/\xff/codex", b"/", None, (b"/opt/\xff/codex",))
    found = as_spelled(replace(image, spelling=by))
    assert (found.exe, found.cwd, found.name_typed) == ("/opt/\udcff/codex", "/", None)
    assert found.argv == ("/opt/\udcff/codex",)
    assert found.process == image.process
