# SPDX-License-Identifier: Apache-2.0
"""A seq that was noted is known to the next run of the same boot, however this one ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sensor.edge.store_told import Told
from sensor.errors import StoreError

ROOT = Path(__file__).resolve().parent.parent.parent


def test_what_was_noted_is_known_to_the_next_run(tmp_path: Path) -> None:
    """The last of it; a run that notes nothing hands it on."""
    with Told(tmp_path / "told") as told:
        assert told.before is None
        for seq in (1, 7, 1 << 62):
            told.note(seq)
    for _ in range(2):
        with Told(tmp_path / "told") as told:
            assert told.before == 1 << 62


def test_it_outlasts_a_kill(tmp_path: Path) -> None:
    """No end of the process is needed."""
    program = (
        "import os, sys; from pathlib import Path; from sensor.edge.store_told import Told\n"
        "Told(Path(sys.argv[1])).note(42); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "told"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    with Told(tmp_path / "told") as told:
        assert told.before == 42


@pytest.mark.parametrize("damage", [b"", b"\0" * 44, b"x" * 43, b"other boot".ljust(44)])
def test_what_another_boot_noted_says_nothing(tmp_path: Path, damage: bytes) -> None:
    """Its last writes may be missing; the store's lease is what holds then."""
    with Told(tmp_path / "told") as told:
        told.note(42)
    (tmp_path / "told").write_bytes(damage)
    with Told(tmp_path / "told") as told:
        assert told.before is None
        told.note(43)
    with Told(tmp_path / "told") as told:
        assert told.before == 43


def test_where_there_can_be_no_file_is_told(tmp_path: Path) -> None:
    """A link may lead anywhere, a folder holds no seq."""
    (tmp_path / "link").symlink_to("elsewhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe", "no/told"):
        with pytest.raises(StoreError, match="make its folder"):
            Told(tmp_path / name)
    assert not (tmp_path / "elsewhere").exists()
