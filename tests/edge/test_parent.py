# SPDX-License-Identifier: Apache-2.0
"""Children that end with their parents."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.patience import is_readable

from sensor.edge import parent
from sensor.errors import SensorError

# Starts a child that ties itself to it, says its pid, and waits.
FAMILY = """
import os, sys, time
from sensor.edge import parent
here = os.getpid()
ready, tell = os.pipe()
pid = os.fork()
if pid == 0:
    parent.die_with(here)
    os.write(tell, b"!")
    time.sleep(60)
os.read(ready, 1)
print(pid, flush=True)
time.sleep(60)
"""


def test_a_child_ends_with_its_parent() -> None:
    """However that one ends."""
    with subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE) as process:
        assert process.stdout
        child = os.pidfd_open(int(process.stdout.readline()))
        try:
            assert not is_readable(child, 0)
            process.kill()
            assert is_readable(child, 10)
        finally:
            os.close(child)


def test_an_orphan_does_not_begin() -> None:
    """Its parent ended before it could say so."""
    with pytest.raises(SensorError, match="process 4194305"):
        parent.die_with(4194305)


@pytest.mark.kernel
def test_groups_are_those_that_were_given() -> None:
    """For this process alone, so a child tries it; and not without the right."""
    child = os.fork()
    if child == 0:
        parent.groups(5)
        given = os.getgroups() == [5]
        os.setuid(65533)
        try:
            parent.groups(6)
        except SensorError as problem:
            os._exit(given and "CAP_SETGID" in str(problem))
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
