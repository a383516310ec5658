# SPDX-License-Identifier: Apache-2.0
"""The job of at(1) that a shell reads gives the names of its variables away, and no more."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from sensor.edge import proc

if TYPE_CHECKING:
    from pathlib import Path

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
