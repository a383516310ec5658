# SPDX-License-Identifier: Apache-2.0
"""An exec can be refused by an LSM program, where the kernel calls it at all."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.guest import in_guest
from support.patience import SOON_S

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.kernel, pytest.mark.needs("lsm", "host-wide")]

TESTS = Path(__file__).parent.parent
ACTIVE_MODULES = Path("/sys/kernel/security/lsm")


@contextmanager
def refusing(program: Path) -> Iterator[list[int]]:
    """Refuse the program's exec meanwhile; then the list has how often the kernel asked."""
    calls: list[int] = []
    with subprocess.Popen(
        [sys.executable, "-m", "support.refusing", program],
        cwd=TESTS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == "refusing\n"
            yield calls
            calls.append(int(process.communicate(timeout=SOON_S)[0]))
        finally:
            process.kill()


def executes(program: Path, *, marker: Path) -> bool:
    """Tell whether the program, a copy of ``touch``, could be executed and has run."""
    try:
        subprocess.run([program, marker], check=True, timeout=SOON_S)
    except PermissionError:
        assert not marker.exists()
        return False
    return marker.exists()


def test_an_exec_is_refused_exactly_where_bpf_is_an_active_module(tmp_path: Path) -> None:
    """The program loads and attaches either way; only in the list it is called, and obeyed."""
    assert in_guest(), "this test refuses execs host-wide: only for a guest of `make vm-test`"
    program, neighbour = tmp_path / "refused", tmp_path / "neighbour"
    for copy in (program, neighbour):
        shutil.copy("/usr/bin/touch", copy)
    with refusing(program) as calls:
        assert executes(neighbour, marker=tmp_path / "neighbour ran")
        was_executed = executes(program, marker=tmp_path / "it ran")
    assert executes(program, marker=tmp_path / "it ran after all")
    is_active = "bpf" in ACTIVE_MODULES.read_text("utf-8").split(",")
    assert (was_executed, calls[0] > 0) == (not is_active, is_active)
