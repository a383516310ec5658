# SPDX-License-Identifier: Apache-2.0
"""``install`` and ``uninstall`` as they are typed, below a folder of the test's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from sensor.cli import settings
from sensor.cli.install import _remove_pins, _scope, install, uninstall
from sensor.core.installation import RUN_DIR, TEXTS
from sensor.daemon.instance import Instance
from sensor.edge import mounts
from sensor.errors import BadInputError


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


def test_what_a_kill_left_attached_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """That of the scope that the configuration names, of the whole host, and of nobody else."""
    top, scope, config = tmp_path / "cgroup", tmp_path / "cgroup/build.slice", tmp_path / "c.toml"
    config.write_text(f'scope = "{scope}"\n', "utf-8")
    monkeypatch.setattr(settings, "DEFAULT", config)
    monkeypatch.setattr(mounts, "bpffs", lambda: tmp_path)
    monkeypatch.setattr(mounts, "cgroup2", lambda: top)
    run_dir = Path(RUN_DIR)
    places = ((run_dir, top), (run_dir, scope), (tmp_path, scope))
    ours, scoped, other = (
        Instance(bpffs=tmp_path, run_dir=folder, scope=where) for folder, where in places
    )
    for one in (ours, scoped, other):
        with one.locked():
            one.commit(one.begin(), "1")
    _remove_pins(_scope())
    assert [one.folder.exists() for one in (ours, scoped, other)] == [False, False, True]
    assert capsys.readouterr().out == f"removed {ours.folder}\nremoved {scoped.folder}\n"


def test_a_configuration_that_is_wrong_keeps_nobody_from_uninstalling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what it does without."""
    config = tmp_path / "c.toml"
    config.write_text("scope = 7\n", "utf-8")
    monkeypatch.setattr(settings, "DEFAULT", config)
    assert _scope() is None
    assert f"{config}:1: scope: 7 is not valid" in capsys.readouterr().err
