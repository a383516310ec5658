# SPDX-License-Identifier: Apache-2.0
"""The foreground sensor begins and ends as its user wants, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from support.footprint import alive, footprint
from support.host import AGENT_SENSOR, copied
from support.scope import Scope

from sensor.daemon.instance import COMPILING
from sensor.edge import proc
from sensor.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.scope import Argument

pytestmark = pytest.mark.kernel

LONG_S = 60


def until(holds: Callable[[], object], what: str) -> None:
    """Wait for something, with a deadline."""
    deadline = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def children(pid: int) -> list[int]:
    """List the processes that a process has started."""
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - names, not paths
        with suppress(OSError, ValueError):
            entry = proc.entry(int(name))
            if entry.ppid == pid:
                found.append(entry.process.pid)
    return found


@pytest.fixture
def scope() -> Iterator[Scope]:
    """Give a scope of the test's own."""
    with Scope() as scope:
        yield scope


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """Give an AI tool that says its arguments."""
    return copied("echo", tmp_path)


@contextmanager
def watch(
    scope: Scope, *options: str, stdout: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[str]]:
    """Start the sensor in a process group of its own, as a shell does."""
    argv: list[Argument] = [AGENT_SENSOR, "watch", "--scope", scope.path, *options]
    with subprocess.Popen(
        argv, stdout=stdout, stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ready(process: subprocess.Popen[str]) -> None:
    """Wait until the sensor says that it watches."""
    assert process.stderr
    line = process.stderr.readline()
    if line.startswith(COMPILING):  # for the first of all tests
        line = process.stderr.readline()
    assert line.startswith("watching "), line + process.stderr.read()


@pytest.mark.parametrize("option", ["--for=0", "--for=0.2"])
def test_it_ends_by_itself_after_so_many_seconds(scope: Scope, option: str) -> None:
    """It says what it watched, how long, and how much there was to tell."""
    with watch(scope, option) as process:
        out, err = process.communicate(timeout=LONG_S)
    assert (process.returncode, out) == (ExitCode.OK, "")
    assert [line for line in err.splitlines() if not line.startswith(COMPILING)] == [
        f"watching {scope.path}; Ctrl-C ends it",
        "watched for 0 s: 0 events",
    ]


def test_a_time_beyond_all_timers_is_taken(scope: Scope) -> None:
    """It just does not come; a signal does."""
    with watch(scope, "--for=1e300") as process:
        ready(process)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=LONG_S)
    assert process.returncode == ExitCode.OK
    assert err.startswith("watched for ")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_can_be_ended_while_the_loader_is_at_work(scope: Scope, how: signal.Signals) -> None:
    """Ctrl-C goes to the whole group, and still nobody complains; a kill leaves nothing either."""
    with watch(scope) as process:
        until(lambda: footprint(scope), "nothing is ever attached")
        held = footprint(scope)
        os.killpg(process.pid, how)
        out, err = process.communicate(timeout=LONG_S)
    assert process.returncode == (-how if how is signal.SIGKILL else ExitCode.OK)
    assert out == ""
    assert all(line.startswith("watch") for line in err.splitlines()), err
    until(lambda: not alive(held) and not footprint(scope), "the kernel still has something")


def test_a_second_signal_ends_it_at_once(scope: Scope) -> None:
    """Who has asked twice does not want to wait for the loader."""
    with watch(scope) as process:
        until(lambda: children(process.pid), "no loader is ever started")
        [loader] = children(process.pid)
        os.kill(loader, signal.SIGSTOP)
        try:
            process.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.2)
            process.send_signal(signal.SIGINT)
            assert process.wait(LONG_S) == -signal.SIGINT
        finally:
            os.kill(loader, signal.SIGKILL)
            os.kill(loader, signal.SIGCONT)
    until(lambda: not footprint(scope), "the kernel still has something")


def test_a_loader_that_is_killed_is_an_error(scope: Scope) -> None:
    """The sentence says how to find out more."""
    with watch(scope) as process:
        until(lambda: children(process.pid), "no loader is ever started")
        for loader in children(process.pid):
            os.kill(loader, signal.SIGKILL)
        out, err = process.communicate(timeout=LONG_S)
    assert (process.returncode, out) == (ExitCode.FAILED, "")
    [line] = err.splitlines()
    assert line.startswith("agent-sensor: the loader ended with -9")
    assert "agent-sensor load" in line


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_reader_that_goes_away_ends_it(
    scope: Scope, tool: Path, options: tuple[str, ...]
) -> None:
    """As in ``agent-sensor watch | head -1``: without a complaint and with nothing left."""
    with watch(scope, *options) as process:
        ready(process)
        held = footprint(scope)
        assert scope.run([tool], stdout=subprocess.DEVNULL).wait(LONG_S) == 0
        assert process.stdout
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(LONG_S) == ExitCode.OK
        assert process.stderr
        assert "Traceback" not in process.stderr.read()
    until(lambda: not alive(held), "the kernel still has something")


def test_a_reader_that_goes_away_is_noticed_in_silence(scope: Scope) -> None:
    """No event is needed for it: a sensor that nobody reads does not linger."""
    with watch(scope) as process:
        ready(process)
        assert process.stdout
        process.stdout.close()
        assert process.wait(LONG_S) == ExitCode.OK


def test_a_full_disk_is_an_error(scope: Scope, tool: Path) -> None:
    """The sentence says where there is no room, and the kernel has nothing left."""
    full = os.open("/dev/full", os.O_WRONLY)
    with watch(scope, stdout=full) as process:
        os.close(full)
        ready(process)
        held = footprint(scope)
        assert scope.run([tool], stdout=subprocess.DEVNULL).wait(LONG_S) == 0
        assert process.wait(LONG_S) == ExitCode.FAILED
        assert process.stderr
        err = process.stderr.read()
    assert err == (
        "agent-sensor: stdout: No space left on device; make room there, or write somewhere else\n"
    )
    until(lambda: not alive(held), "the kernel still has something")


def test_a_closed_stdout_is_an_error(scope: Scope) -> None:
    """Events would go nowhere."""
    argv: list[Argument] = [AGENT_SENSOR, "watch", "--scope", scope.path]
    said = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *argv], check=False, capture_output=True, text=True
    )
    assert said.returncode == ExitCode.BAD_INPUT
    assert said.stderr.startswith("agent-sensor: stdout is closed")
    assert len(said.stderr.splitlines()) == 1


def test_nothing_that_was_told_before_the_end_is_lost(scope: Scope, tool: Path) -> None:
    """What the kernel had recorded when the signal came is still shown, and counted."""
    with watch(scope, "--all-children") as process:
        ready(process)
        for _ in range(23):
            assert scope.run([tool], stdout=subprocess.DEVNULL).wait(LONG_S) == 0
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=LONG_S)
    executions = [line for line in out.splitlines() if " exec " in line]
    assert len(executions) == 23
    assert f": {len(out.splitlines())} events" in err
