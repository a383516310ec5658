# SPDX-License-Identifier: Apache-2.0
"""The canary where nothing refuses anything, and where something does."""

from __future__ import annotations

import errno
import signal
from typing import TYPE_CHECKING

import pytest
from support.bpf import refusing_connections
from support.scope import Scope

from sensor.edge import canary
from sensor.edge.canary import Tried
from sensor.errors import SensorError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.kernel


def tempt(cgroup: Path, program: Path) -> Tried:
    """Try with all the rights of the test."""
    return canary.tempt(cgroup, program, give_up=lambda: None)


def test_rights_are_given_up_before_anything_is_executed(tmp_path: Path) -> None:
    """Where that fails, nothing is."""

    def give_up() -> None:
        raise PermissionError(errno.EACCES, "no")

    mark = tmp_path / "mark"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\n: >{mark}\n", "utf-8")
    script.chmod(0o755)
    with Scope() as scope:
        tried = canary.tempt(scope.path, script, give_up=give_up)
        assert (tried.execution, mark.exists()) == (None, False)
        assert tried.problem


def test_where_nothing_is_refused_it_says_so(tmp_path: Path) -> None:
    """It ran, and connected."""
    with Scope() as scope:
        assert tempt(scope.path, canary.program(tmp_path)) == Tried(None, connection=False)
        assert scope.procs() == []


def test_a_refused_connection_is_told(tmp_path: Path) -> None:
    """By a program in the canary's cgroup that lets nothing pass."""
    with Scope() as scope, refusing_connections(scope):
        assert tempt(scope.path, canary.program(tmp_path)) == Tried(None, connection=True)


def test_an_execution_that_is_killed_is_told(tmp_path: Path) -> None:
    """As from the tracepoint, before it says anything."""
    killed = tmp_path / "killed"
    killed.write_text("#!/bin/sh\nkill -9 $$\n", "ascii")
    killed.chmod(0o755)
    with Scope() as scope:
        assert tempt(scope.path, killed) == Tried("kill", connection=False)


def test_an_execution_that_is_forbidden_is_told(tmp_path: Path) -> None:
    """EPERM is what a security module answers; anything else is no refusal of ours."""
    with Scope() as scope:
        missing = tempt(scope.path, tmp_path / "missing")
        assert missing.execution is None
        assert missing.problem
        assert "No such file" in missing.problem
    assert canary._judged([0, 0, errno.EPERM], 0) == Tried("lsm", connection=False)  # noqa: SLF001
    assert canary._judged([0, errno.EPERM], -signal.SIGKILL) == Tried(  # noqa: SLF001
        "kill", connection=True
    )


def test_a_cgroup_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    """And nothing is tried elsewhere."""
    tried = tempt(tmp_path / "gone", canary.program(tmp_path))
    assert (tried.execution, tried.connection) == (None, False)
    assert tried.problem == "its cgroup: No such file or directory"


def test_the_cgroup_has_the_kernel_s_id_and_goes_again() -> None:
    """Twice is no error, either way."""
    with Scope() as scope:
        cgroup = scope.path / "canary"
        number = canary.settle(cgroup)
        assert number == canary.settle(cgroup) == cgroup.stat().st_ino
        canary.remove(cgroup)
        canary.remove(cgroup)
        assert not cgroup.exists()
        with pytest.raises(SensorError, match="nothing can be proved there"):
            canary.settle(scope.path / "gone" / "canary")
        (cgroup / "inner").mkdir(parents=True)
        with pytest.raises(SensorError, match="remove it when it is empty"):
            canary.remove(cgroup)


def test_the_program_has_the_canary_s_name(tmp_path: Path) -> None:
    """One that is there stays: it may be executed just now. Anything else makes room."""
    path = canary.program(tmp_path)
    before = path.lstat().st_ino
    assert canary.program(tmp_path).lstat().st_ino == before
    path.unlink()
    path.write_text("something else", "ascii")
    assert canary.program(tmp_path) == path
    assert path.name == canary.NAME
    assert len(canary.NAME) < 16
    assert path.is_symlink()
