# SPDX-License-Identifier: Apache-2.0
"""A program compiled with our headers reads what is true of the running kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.patience import SOON_S

from sensor.daemon.loader import kernel_types, probes
from sensor.wire.btf import Btf
from sensor.wire.headers import header_tree

pytestmark = pytest.mark.kernel

TESTS = Path(__file__).parent.parent


def test_members_have_the_values_that_proc_shows(tmp_path: Path) -> None:
    """Of one exec: the process, its parent, its file, its arguments, its folder."""
    types = (probes() / "types.toml").read_text("utf-8")
    for name, text in header_tree(types, Btf(kernel_types()), where="types.toml").items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    command = [sys.executable, "-m", "support.reading", str(tmp_path)]
    done = subprocess.run(command, cwd=TESTS, stdout=subprocess.PIPE, check=True, timeout=SOON_S)
    seen, told = json.loads(done.stdout)
    assert seen == told
