# SPDX-License-Identifier: Apache-2.0
"""Processes that read, write and are killed: the store is whole for each of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from support.patience import is_readable
from support.rows import rows

from sensor.edge.store import Store
from sensor.edge.store_verify import Verified

TESTS = Path(__file__).resolve().parent.parent
KILLS = 23


def child(*arguments: str | Path) -> subprocess.Popen[bytes]:
    """Start a program of the tests that shares nothing with this one."""
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env={**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"},
        stdout=subprocess.PIPE,
    )


def test_two_read_while_one_writes(tmp_path: Path) -> None:
    """Each sees whole batches only, in order and without a hole, and nobody waits."""
    path = tmp_path / "events.db"
    Store(path).close()
    readers = [child("support.following", path, "3000") for _ in range(2)]
    for reader in readers:
        assert reader.stdout
        assert reader.stdout.readline() == b"begins\n"
    with Store(path) as store:
        for first in range(1, 3001, 30):
            store.append(rows(first, first + 29))
    for reader in readers:
        out, _ = reader.communicate(timeout=60)
        assert reader.returncode == 0
        assert out == b"3000\n"


def killed_after(path: Path, delay_s: float) -> tuple[int, int]:
    """Run a writer, kill it so long after its first event, and return what it told: from, to."""
    program = child("support.appending", path)
    assert program.stdout
    try:
        told = program.stdout.readline()
        first, last = map(int, told.split())
        deadline = time.monotonic() + delay_s
        while (left := deadline - time.monotonic()) > 0:
            if is_readable(program.stdout, left):
                told = os.read(program.stdout.fileno(), 1 << 16)
    finally:
        program.send_signal(signal.SIGKILL)
    rest = told + program.stdout.read()
    program.wait()
    program.stdout.close()
    whole = rest[: rest.rfind(b"\n")].rsplit(b"\n", 1)[-1].split()
    return first, max(last, int(whole[-1]))


def test_killed_at_any_moment_it_opens_and_repeats_nothing(tmp_path: Path) -> None:
    """23 times under load, with retention at work: the chain holds, and each hole is declared."""
    path = tmp_path / "events.db"
    moments = Random(4)  # noqa: S311  # any moment will do
    told_upto = declared = dropped_upto = 0
    for turn in range(10 * KILLS):
        if turn >= KILLS and dropped_upto:  # a slow machine writes less in the same time
            break
        first, last = killed_after(path, moments.uniform(0, 0.4))
        assert first > told_upto
        told_upto = last
        with Store(path, read_only=True) as store:
            found = store.verify()
            assert isinstance(found, Verified), found
            # Each seq is stored, in a declared hole, dropped by retention, or after the last.
            kept = found.head.last_seq - found.first_seq + 1
            assert found.rows + found.unstored == kept
            declared += found.unstored
            dropped_upto = found.first_seq - 1
    assert declared > 0
    assert dropped_upto > 0
