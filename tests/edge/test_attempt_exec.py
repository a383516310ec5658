# SPDX-License-Identifier: Apache-2.0
"""Where nothing is refused, every way to execute a file does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.provers import answered

from sensor.edge import attempt_exec

pytestmark = pytest.mark.kernel

SH = Path("/bin/sh").resolve()


def spec(folder: Path, how: str, file: Path) -> dict[str, object]:
    """Say what to do: make a mark."""
    return {
        "how": how,
        "file": str(file),
        "argv": [str(file), "-c", ': >>"$MARK"; echo "$0" >>"$MARK"'],
        "env": {"MARK": str(folder / "mark")},
        "name": "tool",
        "folder": str(folder),
    }


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """Give a harmless program, in a folder that others can be put beside."""
    (tmp_path / "bin").mkdir()
    file = tmp_path / "bin" / "tool"
    file.write_bytes(SH.read_bytes())
    file.chmod(0o755)
    return file


@pytest.mark.parametrize("how", sorted(attempt_exec.HOWS))
def test_it_runs(tmp_path: Path, tool: Path, how: str) -> None:
    """The mark is there, and everybody who tried is named."""
    answer = answered(attempt_exec.__file__, spec(tmp_path, how, tool))
    if answer["lacks"]:
        pytest.skip(str(answer["lacks"]))
    lines = (tmp_path / "mark").read_text("utf-8").splitlines()
    assert len(lines) == (attempt_exec.FLOOD if how == "flood" else 1)
    assert answer["ended"] is None
    pids = answer["pids"]
    assert isinstance(pids, list)
    nested = {"spawned": 2, "detached": 2, "flood": attempt_exec.FLOOD + 1}
    assert len({*pids}) == nested.get(how, 1)


@pytest.mark.parametrize("how", ["execve", "spawned", "threaded", "execveat", "compat", "detached"])
def test_an_error_is_named(tmp_path: Path, tool: Path, how: str) -> None:
    """As the kernel gives it: here the file is none that may be executed."""
    tool.chmod(0o644)
    answer = answered(attempt_exec.__file__, spec(tmp_path, how, tool))
    assert answer["ended"] == "EACCES" or answer["lacks"]
    assert not (tmp_path / "mark").exists()


def test_a_signal_is_named(tmp_path: Path, tool: Path) -> None:
    """It is how the kernel refuses where there is no security module."""
    killed = {**spec(tmp_path, "execve", tool), "argv": [str(tool), "-c", "kill -9 $$"]}
    assert answered(attempt_exec.__file__, killed)["ended"] == "SIGKILL"


def test_it_stands_by_itself() -> None:
    """It needs nothing of the sensor: it is read by anybody, and run by its path."""
    assert "sensor" not in Path(attempt_exec.__file__).read_text("utf-8").split("import", 1)[1]
    assert os.access(attempt_exec.__file__, os.R_OK)
