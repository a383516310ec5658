# SPDX-License-Identifier: Apache-2.0
"""What responders ask a daemon that watches a real kernel."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from support.patience import SOON_S
from support.running import running
from support.scope import Scope

from sensor.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.drivers import Drivers
    from support.running import Running

pytestmark = [pytest.mark.kernel, pytest.mark.long]


@pytest.fixture
def scope() -> Iterator[Scope]:
    """Give a cgroup of the test's own."""
    with Scope() as scope:
        yield scope


@pytest.fixture
def daemon(scope: Scope, tmp_path: Path) -> Iterator[Running]:
    """Give a daemon that watches it."""
    with running(scope, tmp_path) as daemon:
        daemon.start()
        yield daemon


@contextmanager
def tailing(daemon: Running, folder: Path, *options: str) -> Iterator[Callable[[], str]]:
    """Follow the daemon meanwhile; yields what reads all that was printed."""
    path = folder / "tail"
    with path.open("wb") as out:
        command = daemon.argv("tail", "--since", "0", *options)
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield lambda: path.read_text("utf-8")
        process.send_signal(signal.SIGTERM)
        assert process.wait(SOON_S) == ExitCode.OK
    finally:
        process.kill()
        process.wait()


def until(is_so: Callable[[], bool]) -> None:
    """Ask again and again."""
    deadline = time.monotonic() + SOON_S
    while not is_so():
        assert time.monotonic() < deadline


def test_a_tail_goes_on_where_a_killed_daemon_ended(
    daemon: Running, scope: Scope, drivers: Drivers, tmp_path: Path
) -> None:
    """What happened while none ran is told too, and each event once."""
    with tailing(daemon, tmp_path, "--kind", "session_start") as printed:
        assert scope.run([drivers.tool("nothing")]).wait(SOON_S) == 0
        until(lambda: printed().count("started") == 1)
        daemon.kill()
        until(lambda: "waiting for it" in printed())
        assert scope.run([drivers.tool("nothing")]).wait(SOON_S) == 0
        daemon.start()
        assert scope.run([drivers.tool("nothing")]).wait(SOON_S) == 0
        until(lambda: printed().count("started") == 3)
        assert "daemon was away from" in printed()
        assert "something may be missing" in printed()
        assert printed().count("started") == 3


def test_a_session_runs_until_it_has_ended(daemon: Running, scope: Scope, drivers: Drivers) -> None:
    """And its tree has what it ran, with the session's own line as its reason."""
    process = scope.run([drivers.tool("stay")], stdin=subprocess.PIPE)
    until(lambda: len(daemon.ask("sessions", "--running")) == 1)
    [running_now] = daemon.ask("sessions", "--running")
    assert (running_now["pid"], running_now["state"]) == (process.pid, "running")
    assert running_now["duration_ns"] > 0
    process.kill()
    process.wait(SOON_S)
    until(lambda: daemon.ask("sessions", "--running") == [])
    [past] = daemon.ask("sessions")
    assert past["state"] == "ended"
    shown = daemon.command("sessions", "show", past["session"])
    assert f"[{past['session']}] " in shown.stdout, shown.stderr
    [why] = daemon.ask("explain", str(past["first_seq"]))
    assert why["evidence"]
    assert why["recomputed"] == why["confidence"]


def test_the_state_is_fine_and_then_there_is_no_daemon(daemon: Running) -> None:
    """As monitoring reads it, from the exit code."""
    told = daemon.command("status", "--json")
    problems = json.loads(told.stdout)["problems"]
    assert told.returncode == (ExitCode.DEGRADED if problems else ExitCode.OK)
    assert daemon.stop() == 0
    assert daemon.command("status").returncode == ExitCode.FAILED
