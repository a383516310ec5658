# SPDX-License-Identifier: Apache-2.0
"""A service runs nothing that others than root can change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sensor.edge.installer import strangers

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("mode", "is_open"), [(0o755, False), (0o775, True), (0o757, True), (0o1777, False)]
)
def test_a_way_that_others_can_change_is_named(tmp_path: Path, mode: int, *, is_open: bool) -> None:
    """Who can change a folder on the way to a program can change the program."""
    folder = tmp_path / "prefix"
    folder.mkdir()
    program = folder / "agent-sensor"
    program.write_text("", "utf-8")
    folder.chmod(mode)
    assert strangers(program) == (str(folder) if is_open else None)
