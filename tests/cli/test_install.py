# SPDX-License-Identifier: Apache-2.0
"""``install`` and ``uninstall`` as they are typed, below a folder of the test's own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from sensor.cli.install import install, uninstall
from sensor.core.installation import TEXTS
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_installed_is_uninstalled(tmp_path: Path) -> None:
    """One line a file on stdout, both ways; the program is the one that runs."""
    root = f"--root={tmp_path}"
    done = CliRunner().invoke(install, [root])
    assert done.output.count("wrote ") == len(TEXTS)
    unit = tmp_path / "etc/systemd/system/agent-sensor.service"
    assert f"ExecStart={sys.prefix}/bin/agent-sensor run" in unit.read_text("utf-8")
    assert not done.stderr, "an image is not started"
    done = CliRunner().invoke(uninstall, [root])
    assert done.output.count("removed ") == len(TEXTS)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_prefix_is_looked_at_before_anything_is_written(tmp_path: Path) -> None:
    """One that a unit cannot name leaves nothing behind."""
    with pytest.raises(BadInputError, match="--prefix"):
        CliRunner().invoke(
            install, [f"--root={tmp_path}", "--prefix=/opt/a b"], catch_exceptions=False
        )
    assert not list(tmp_path.iterdir())
