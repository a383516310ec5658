# SPDX-License-Identifier: Apache-2.0
"""The job of at(1) that a shell reads gives the names of its variables away; who logged in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sensor.edge import proc

JOB = b"""#!/bin/sh
# atrun uid=0 gid=0
umask 22
WANTED=hunter2; export WANTED
OTHER=x; export OTHER
HALF=x
cd /root || {
}
make
"""


def test_a_job_s_variables_are_given_by_name_if_they_are_wanted(tmp_path: Path) -> None:
    """Out of what the shell reads, where that is a file, deleted or not."""
    job = tmp_path / "job"
    job.write_bytes(JOB)
    with job.open("rb") as text:
        job.unlink()
        child = subprocess.Popen(["sleep", "60"], stdin=text)
    try:
        assert proc.job_variables(child.pid, {"WANTED", "HALF", "ABSENT"}) == ("WANTED",)
    finally:
        child.kill()
        child.wait()
    with pytest.raises(OSError):  # noqa: PT011  # whichever it is
        proc.job_variables(child.pid, {"WANTED"})


def test_what_reads_no_file_has_no_job() -> None:
    """Nothing but a regular file is opened."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        assert proc.job_variables(child.pid, {"WANTED"}) == ()
        child.communicate(timeout=10)


def test_who_logged_in_is_known_by_the_process() -> None:
    """As the kernel says; of one that is gone nobody did."""
    login = int(Path("/proc/self/loginuid").read_text("ascii"))
    assert proc.loginuid(os.getpid()) == (None if login == 2**32 - 1 else login)
    assert proc.loginuid(2**22 + 1) is None
