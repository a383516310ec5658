# SPDX-License-Identifier: Apache-2.0
"""The daemon's end of the deputy: orders and reports, and what becomes of them when it dies."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.deputies import children, deputed, sleeping
from support.patience import is_readable
from support.scope import Scope

from sensor.core.facts import Process
from sensor.daemon.deputy import QUEUED, Deputy
from sensor.edge import proc
from sensor.errors import SensorError
from sensor.wire.orders import Kill, order_of
from sensor.wire.reports import Outcome, Report, report

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = Kill(Process(4194303, 1))
_SOON_S = 20.0


def faked() -> tuple[Deputy, socket.socket]:
    """Give a client, and the other end of its socket; nobody works there."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Deputy(ours, subprocess.Popen(["true"])), theirs


def take(deputy: Deputy) -> None:
    """Wait until there is something to read, and take it."""
    assert is_readable(deputy, _SOON_S)
    deputy.read()


def test_reports_go_to_whom_they_are_for() -> None:
    """In whatever order they come."""
    deputy, theirs = faked()
    came: list[Report] = []
    for _ in range(2):
        assert deputy.order(NOBODY, came.append)
    numbers = [order_of(theirs.recv(4096))[0] for _ in range(2)]
    for number in reversed(numbers):
        theirs.send(report(Report(number, Outcome.DONE)))
    deputy.read()
    assert [one.number for one in came] == numbers[::-1]
    assert deputy.state()["waiting"] == 0
    assert deputy.problems() == []
    deputy.close()


def test_a_deputy_that_does_not_listen_holds_nobody_up() -> None:
    """What there is no room for is counted and told; what there was room for is done later."""
    deputy, theirs = faked()
    came: list[Report] = []
    for _ in range(QUEUED + 23):
        deputy.order(NOBODY, came.append)
    assert deputy.dropped == 23
    assert deputy.problems() == ["23 orders to the deputy were not carried out"]
    for _ in range(QUEUED):
        number, _ = order_of(theirs.recv(4096))
        theirs.send(report(Report(number, Outcome.DONE)))
        deputy.read()
    assert len(came) == QUEUED
    deputy.close()


def test_who_asks_waits_no_longer_than_he_said() -> None:
    """And learns that it was in vain."""
    deputy, theirs = faked()
    with pytest.raises(SensorError, match="did not answer within 0 s"):
        deputy.ask(NOBODY, within_s=0.01)
    theirs.close()
    deputy.read()
    with pytest.raises(SensorError, match="takes no orders"):
        deputy.ask(NOBODY)
    deputy.close()


def test_what_nobody_answers_any_more_has_failed() -> None:
    """The end of the deputy is a problem, and is told to all who wait."""
    deputy, theirs = faked()
    came: list[Report] = []
    deputy.order(NOBODY, came.append)
    theirs.close()
    deputy.read()
    assert [one.outcome for one in came] == [Outcome.FAILED]
    assert deputy.is_gone
    assert "has ended" in deputy.problems()[0]
    assert not deputy.order(NOBODY)
    deputy.close()


def test_bytes_that_are_no_report_are_counted() -> None:
    """They answer nothing."""
    deputy, theirs = faked()
    theirs.send(b"\xc1")
    deputy.read()
    assert deputy.dropped == 1
    deputy.close()


@pytest.mark.kernel
def test_a_child_that_dies_is_replaced(tmp_path: Path) -> None:
    """Orders go on, and the death is told."""
    with Scope() as scope, deputed(scope, tmp_path) as deputy:
        assert deputy.ask(NOBODY).outcome is Outcome.GONE
        [child] = children(int(str(deputy.state()["pid"])))
        os.kill(child, signal.SIGKILL)
        assert deputy.ask(NOBODY).outcome is Outcome.GONE
        assert deputy.restarts == 1
        assert deputy.problems() == ["the deputy was restarted 1 times (it ended with SIGKILL)"]


@pytest.mark.kernel
def test_the_order_during_which_a_child_dies_has_failed(tmp_path: Path) -> None:
    """The one behind it is carried out by the next."""
    with Scope() as scope, deputed(scope, tmp_path) as deputy, sleeping(scope) as process:
        assert deputy.ask(NOBODY).outcome is Outcome.GONE
        [child] = children(int(str(deputy.state()["pid"])))
        os.kill(child, signal.SIGSTOP)
        came: list[Report] = []
        deputy.order(Kill(proc.entry(process.pid).process), came.append)
        os.kill(child, signal.SIGKILL)
        deadline = time.monotonic() + _SOON_S
        while not came:
            assert time.monotonic() < deadline
            take(deputy)
        # Stopped before it took the order: its successor does it.
        assert came[0].outcome is Outcome.DONE
        assert process.wait(10) == -signal.SIGKILL


@pytest.mark.kernel
def test_a_child_that_dies_again_and_again_is_given_up(tmp_path: Path) -> None:
    """That is no accident; the daemon says that nobody is there."""
    with Scope() as scope, deputed(scope, tmp_path) as deputy:
        keeper = int(str(deputy.state()["pid"]))
        deadline = time.monotonic() + 60
        while not deputy.is_gone:
            assert time.monotonic() < deadline
            deputy.order(NOBODY)
            take(deputy)
            if not deputy.is_gone:
                for child in children(keeper):
                    os.kill(child, signal.SIGKILL)
        assert deputy.restarts >= 5


# Starts a deputy, says the pids of both its processes, and waits.
DAEMON = """
import sys
from pathlib import Path
from sensor.core.facts import Process
from sensor.daemon import deputy
from sensor.wire.orders import Kill
one = deputy.start(pins=Path(sys.argv[1]), scope=Path(sys.argv[1]))
one.ask(Kill(Process(4194303, 1)))
keeper = one.state()["pid"]
print(keeper, open(f"/proc/{keeper}/task/{keeper}/children").read(), flush=True)
sys.stdin.read()
"""


@pytest.mark.kernel
def test_the_deputy_dies_with_the_daemon() -> None:
    """Both its processes, however the daemon ends."""
    with (
        Scope() as scope,
        subprocess.Popen(
            [sys.executable, "-c", DAEMON, scope.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as daemon,
    ):
        assert daemon.stdout
        pids = [os.pidfd_open(int(pid)) for pid in daemon.stdout.readline().split()]
        assert len(pids) == 2
        daemon.kill()
        for pid in pids:
            assert is_readable(pid, _SOON_S)
            os.close(pid)


@pytest.mark.kernel
def test_a_deputy_that_is_let_go_ends_by_itself(tmp_path: Path) -> None:
    """Without a signal: it has done what it was asked for."""
    with Scope() as scope, deputed(scope, tmp_path) as deputy, sleeping(scope) as process:
        deputy.order(Kill(proc.entry(process.pid).process))
        deputy.close()
        assert process.wait(10) == -signal.SIGKILL
