# SPDX-License-Identifier: Apache-2.0
"""What `status` says of probes that no daemon stands on, as a shell takes it."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from sensor.cli import cli, settings
from sensor.daemon import beside
from sensor.daemon.instance import Instance
from sensor.edge import mounts
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCOPE = "system.slice/docker-" + "a" * 64 + ".scope"


def status(run_dir: Path) -> str:
    """Say why there is nothing to tell."""
    return str(CliRunner().invoke(cli, ["status", f"--run-dir={run_dir}"]).exception)


def broken(*_: object) -> Path | None:
    """Be a configuration that cannot be read."""
    raise BadInputError("config.toml:1: no")


def whole_host(*_: object) -> Path | None:
    """Be one that names no scope."""
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's pins count")
@pytest.mark.parametrize(
    ("config", "below", "options"),
    [
        (whole_host, "", []),
        (broken, "", ["--scope"]),
        (whole_host, SCOPE, ["--scope"]),
        (broken, "a b$(id)", ["--scope"]),
    ],
)
def test_the_command_that_takes_it_away_can_be_typed(
    config: Callable[..., Path | None],
    below: str,
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the whole scope, quoted for a shell; also where the configuration says nothing."""
    bpffs, top, run_dir = (tmp_path / name for name in ("bpf", "top", "run"))
    scope = top / below
    for folder in (bpffs, scope, run_dir):
        folder.mkdir(parents=True)
    one = Instance(bpffs=bpffs, run_dir=run_dir, scope=scope)
    (one.folder / "0123").mkdir(parents=True)
    monkeypatch.setattr(mounts, "cgroup2", lambda: top)
    monkeypatch.setattr(mounts, "every_bpffs", lambda: [bpffs])
    monkeypatch.setattr(settings, "scope_of", config)
    said = status(run_dir)
    assert "are still attached; `" in said  # there is no map that says that it refuses
    [command] = re.findall("`(agent-sensor unload [^`]*)`", said)
    words = shlex.split(command)
    expected = {"--run-dir": str(run_dir), "--bpffs": str(bpffs)}
    assert words[:2] == ["agent-sensor", "unload"]
    assert dict(zip(words[2::2], words[3::2], strict=True)) == expected | dict.fromkeys(
        options, str(scope)
    )
    os.chown(one.folder / "0123", 1000, 1000)
    assert "attached" not in status(run_dir)
    assert beside.left_by(tmp_path / "none", top=top, scope=top) is None
