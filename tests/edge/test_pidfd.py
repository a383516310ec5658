# SPDX-License-Identifier: Apache-2.0
"""Processes that end, and none that was not meant."""

from __future__ import annotations

import os
import subprocess

import pytest

from sensor.edge.pidfd import kill
from sensor.errors import NotPermittedError, SensorError

SLEEP = ["sleep", "60"]


def test_a_process_is_killed() -> None:
    """It cannot prevent it."""
    with subprocess.Popen(SLEEP) as process:
        assert kill(process.pid, is_it=lambda: True)
        assert process.wait(10) == -9


def test_who_is_not_meant_lives_on() -> None:
    """The claim is asked while the process is held."""
    with subprocess.Popen(SLEEP) as process:
        assert not kill(process.pid, is_it=lambda: False)
        assert process.poll() is None
        process.kill()


def test_who_has_ended_is_not_killed() -> None:
    """Neither one that is gone, nor one that ends while it is looked at."""
    with subprocess.Popen(SLEEP) as process:

        def ends() -> bool:
            process.kill()
            process.wait()
            return True

        assert not kill(process.pid, is_it=ends)
        assert not kill(process.pid, is_it=lambda: True)


def test_what_is_no_process_is_an_error() -> None:
    """The sentence names it."""
    with pytest.raises(SensorError, match="process 0"):
        kill(0, is_it=lambda: True)


@pytest.mark.kernel
def test_without_the_right_it_says_which() -> None:
    """A child of ours, that of another user."""
    with subprocess.Popen(SLEEP) as process:
        child = os.fork()
        if child == 0:
            os.setuid(65533)
            try:
                kill(process.pid, is_it=lambda: True)
            except NotPermittedError as problem:
                os._exit("CAP_KILL" in str(problem))
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        process.kill()
