# SPDX-License-Identifier: Apache-2.0
"""The wheel is all that a host needs beside BCC."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.scope import Scope

ROOT = Path(__file__).resolve().parent.parent
LONG_S = 180


def run(*argv: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, which has to be a good one."""
    done = subprocess.run(
        argv, check=False, cwd=cwd, capture_output=True, text=True, timeout=LONG_S
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the wheel as pip builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT)
    [built] = folder.glob("*.whl")
    return built


def test_the_wheel_has_every_file_that_is_read_at_run_time(wheel: Path) -> None:
    """Probes, catalogue and licences, and no test."""
    names = set(zipfile.ZipFile(wheel).namelist())
    probes = {f"sensor/probes/{path.name}" for path in (ROOT / "probes").iterdir()}
    sensor = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "sensor").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert probes | sensor <= names
    assert {name.partition("/")[0] for name in names - probes - sensor} == {
        f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"
    }
    assert any(name.endswith("/licenses/LICENSE") for name in names)


@pytest.mark.kernel
def test_an_installed_wheel_watches(wheel: Path, tmp_path: Path) -> None:
    """In a fresh environment, from any folder, with the sources that came along."""
    run("/usr/bin/python3", "-m", "venv", "--system-site-packages", tmp_path / "venv")
    binaries = tmp_path / "venv/bin"
    run(binaries / "python", "-m", "pip", "install", "--quiet", wheel)
    where = "from sensor.daemon.loader import probes; print(probes())"
    found = run(binaries / "python", "-c", where, cwd=tmp_path).stdout
    assert Path(found.strip()).is_relative_to(tmp_path / "venv")
    with Scope() as scope:
        watch = ("watch", "--for=1", "--scope", scope.path)
        said = run(binaries / "agent-sensor", *watch, cwd=tmp_path)
    assert "watched for 1 s: 0 events" in said.stderr
