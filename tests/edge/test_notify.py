# SPDX-License-Identifier: Apache-2.0
"""systemd hears what it asked for, and silence harms nobody."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from sensor.edge.notify import LONGEST_START_S, Notify

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("abstract", [False, True], ids=["a path", "an abstract address"])
def test_the_manager_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, abstract: bool
) -> None:
    """One datagram holds all assignments, a line each."""
    name = f"agent-sensor-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}" if abstract else name)
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}" if abstract else name)
        Notify().tell("READY=1", "STATUS=watching")
        assert manager.recv(100) == b"READY=1\nSTATUS=watching"


def test_a_start_that_works_asks_for_more_time_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others wait for it: after ten minutes the manager's own limit holds."""
    now_s = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now_s[0])
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify = Notify()
        now_s[0] += LONGEST_START_S - 1
        notify.needs_longer()
        assert manager.recv(100, socket.MSG_DONTWAIT) == b"EXTEND_TIMEOUT_USEC=90000000"
        now_s[0] += 1
        notify.needs_longer()
        with pytest.raises(BlockingIOError):
            manager.recv(100, socket.MSG_DONTWAIT)


def test_nobody_is_told_where_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable nothing is sent."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Notify().tell("READY=1")


def test_a_manager_that_is_gone_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon goes on."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    Notify().tell("READY=1")


@pytest.mark.parametrize(
    ("wanted", "pid", "expected"),
    [
        ("30000000", "", 15.0),
        ("30000000", str(os.getpid()), 15.0),
        ("30000000", "1", None),
        ("", "", None),
        ("soon", "", None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_bites(
    wanted: str, pid: str, expected: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables count for this process alone."""
    monkeypatch.setenv("WATCHDOG_USEC", wanted)
    monkeypatch.setenv("WATCHDOG_PID", pid)
    assert Notify.watchdog_s() == expected


JOBS = """\
 987 other.service              restart running
1044 agent-sensor.service       {job}   running
"""


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (f"cat <<.\n{JOBS.format(job='restart')}.\n", True),
        (f"cat <<.\n{JOBS.format(job='stop')}.\n", False),
        (f"cat <<.\n{JOBS.format(job='restart')}.\nexit 1\n", False),
        ("exit 0\n", False),
    ],
    ids=["restart", "stop", "no answer", "no jobs"],
)
def test_a_restart_is_told_from_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, *, expected: bool
) -> None:
    """Another unit's restart is none of ours, and where nobody answers it is a stop."""
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f"#!/bin/sh\n{script}")
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    assert Notify().is_restarting() is expected


def test_without_a_manager_an_end_is_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked whether somebody starts us again."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    assert not Notify().is_restarting()
