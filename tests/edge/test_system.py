# SPDX-License-Identifier: Apache-2.0
"""The daemon's folders are its own, and one daemon's at a time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sensor.edge.system import holder, humble, idle, is_held, lock, spared
from sensor.errors import BadInputError, SensorError

if TYPE_CHECKING:
    from pathlib import Path


def test_folders_are_made_for_root_and_readers(tmp_path: Path) -> None:
    """Others look into neither; the group may pass through the run folder."""
    run_dir, state_dir = tmp_path / "run", tmp_path / "state"
    with lock(run_dir, state_dir):
        assert run_dir.stat().st_mode & 0o777 == 0o750
        assert state_dir.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("shared", ["run", "state"])
def test_a_folder_is_one_daemon_s(tmp_path: Path, shared: str) -> None:
    """The second is told which one is taken; the first lets go at its end."""
    folders = {"run": tmp_path / "a", "state": tmp_path / "b"}
    others = {"run": tmp_path / "c", "state": tmp_path / "d"} | {shared: folders[shared]}
    with (
        lock(folders["run"], folders["state"]),
        pytest.raises(SensorError, match=f"another agent-sensor uses {folders[shared]}"),
        lock(others["run"], others["state"]),
    ):
        pass
    with lock(others["run"], others["state"]):
        pass


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    """A file in its place is one."""
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(BadInputError, match="file/run"), lock(tmp_path / "file" / "run", tmp_path):
        pass


def test_who_holds_a_folder_is_known(tmp_path: Path) -> None:
    """By its pid, as the kernel has it; nobody, before and after."""
    run_dir = tmp_path / "run"
    assert not is_held(run_dir)
    with lock(run_dir, tmp_path / "state"):
        assert is_held(run_dir)
        assert holder(run_dir) == os.getpid()
    assert not is_held(run_dir)
    assert holder(run_dir) is None


def test_a_folder_that_is_spared_no_daemon_takes(tmp_path: Path) -> None:
    """One that a daemon has cannot be; one that is missing is not made."""
    run_dir = tmp_path / "run"
    with spared(run_dir) as is_free:
        assert is_free
    assert not run_dir.exists()
    with lock(run_dir, tmp_path / "state"), spared(run_dir) as is_free:
        assert not is_free
    with (
        spared(run_dir) as is_free,
        spared(run_dir) as is_still_free,
        pytest.raises(SensorError, match="another agent-sensor uses"),
        lock(run_dir, tmp_path / "state"),
    ):
        pass
    assert is_free
    assert is_still_free


def test_an_idle_process_goes_behind_all_others(tmp_path: Path) -> None:
    """It says so itself; where it may not, it goes on as it is."""
    pid = os.fork()
    if not pid:
        idle()
        told = f"{os.getpriority(os.PRIO_PROCESS, 0)} {os.sched_getscheduler(0)}"
        (tmp_path / "told").write_text(told)
        os._exit(0)
    os.waitpid(pid, 0)
    assert (tmp_path / "told").read_text() == f"19 {os.SCHED_IDLE}"


def test_who_is_humble_lets_others_go_first() -> None:
    """A child, as it cannot be taken back."""
    pid = os.fork()
    if pid == 0:
        humble()
        os._exit(os.getpriority(os.PRIO_PROCESS, 0))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 10
