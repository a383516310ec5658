# SPDX-License-Identifier: Apache-2.0
"""Waiting for programs that run; that it does is the kernel's promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.host import ROOT_WITHOUT_RIGHTS

from sensor.edge.libbpf_quiet import Quiet

ASK = """
from sensor.edge.libbpf_quiet import Quiet
from sensor.errors import SensorError
try:
    with Quiet():
        pass
except SensorError as problem:
    print(problem)
"""


@pytest.mark.kernel
def test_it_comes_back_and_leaves_nothing_open() -> None:
    """As often as one likes."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    with Quiet() as quiet:
        quiet.wait()
        quiet.wait()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.kernel
def test_without_the_right_it_says_which() -> None:
    """Somebody without any cannot wait."""
    assert os.geteuid() == 0
    argv = ["setpriv", "--reuid=65534", "--clear-groups", *ROOT_WITHOUT_RIGHTS[1:]]
    done = subprocess.run(
        [*argv, sys.executable, "-c", ASK], check=False, capture_output=True, text=True
    )
    assert "takes CAP_BPF" in done.stdout, done.stderr
