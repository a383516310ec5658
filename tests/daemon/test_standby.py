# SPDX-License-Identifier: Apache-2.0
"""Whether there is a policy to keep, and what is left of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.policy_maps import MadeMaps

from sensor.daemon import standby
from sensor.daemon.standby import KEPT, wanted
from sensor.wire.programs import HELLO

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_that_was_named_has_to_be_there(tmp_path: Path) -> None:
    """Whoever reads it says that it is not."""
    named = tmp_path / "named.toml"
    assert wanted(named, tmp_path / "default.toml", tmp_path) == named


def test_the_usual_file_counts_where_it_is(tmp_path: Path) -> None:
    """Without it, and without blocks, there is no policy."""
    default = tmp_path / "default.toml"
    assert wanted(None, default, tmp_path) is None
    default.write_text("version = 1\n", "ascii")
    assert wanted(None, default, tmp_path) == default


@pytest.mark.parametrize(
    ("text", "is_wanted"),
    [('{"blocks": [{}]}', True), ('{"blocks": []}', False), ("damaged", True), ("[]", True)],
)
def test_blocks_alone_are_kept_too(text: str, is_wanted: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """What is damaged is not taken for none."""
    (tmp_path / KEPT).write_text(text, "ascii")
    default = tmp_path / "default.toml"
    assert (wanted(None, default, tmp_path) == default) is is_wanted


@pytest.mark.kernel
def test_what_a_run_before_left_in_force_is_taken_back(tmp_path: Path) -> None:
    """The word in the kernel, and what keeps programs attached."""
    pins = MadeMaps(tmp_path)
    assert not standby.is_in_force(pins)  # type: ignore[arg-type]
    pins.map("state").update((3).to_bytes(4, "little"), (7).to_bytes(8, "little"))
    link = tmp_path / f"link_{HELLO}"
    link.touch()
    assert standby.is_in_force(pins)  # type: ignore[arg-type]
    standby.release(pins)  # type: ignore[arg-type]
    assert not standby.is_in_force(pins)  # type: ignore[arg-type]
    assert not link.exists()
