# SPDX-License-Identifier: Apache-2.0
"""``verify`` for whoever may not read the store: that is no broken one, and no failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from support.host import UNPRIVILEGED
from support.recorded import recorded, stored

from sensor.daemon.reading import STORE
from sensor.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def state() -> Iterator[Path]:
    """Return a folder with a store, which is root's."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        stored(folder / STORE, recorded())
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("mode", [0o700, 0o711, 0o755])
def test_whoever_may_not_read_the_store_is_told_so(state: Path, mode: int) -> None:
    """With the exit code for it, whether it is the folder or the file that is closed."""
    state.chmod(mode)
    done = subprocess.run(
        [*UNPRIVILEGED, sys.executable, "-m", "sensor", "verify", "--state-dir", state],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (ExitCode.NOT_PERMITTED, "")
    assert done.stderr == f"agent-sensor: {state / STORE}: Permission denied; run it as root\n"
