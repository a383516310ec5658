# SPDX-License-Identifier: Apache-2.0
"""What is known only after a look is ended if it still runs, and told as what really happened."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.host import copied
from support.patience import SOON_S

if TYPE_CHECKING:
    from pathlib import Path

    from support.policing import Policing

pytestmark = pytest.mark.kernel

POLICY = 'mode = "enforce"\n[[rule]]\nid = "no"\ntools = ["gemini-cli"]\nverdict = "block"\n'

# From what is over before anybody has looked to what nobody waits for, and often in between.
WAITS_MS = [0] * 5 + [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30] + [60_000] * 5


def test_each_is_told_as_it_came_to_its_end(police: Policing, tmp_path: Path) -> None:
    """The last that is told of a process agrees with its parent's wait(2): SIGKILL, or not."""
    tool = copied("bash", tmp_path / "bin", name="gemini")
    silent, held = os.pipe()
    police.keep(POLICY)
    since = police.seq()
    ends: dict[int, int] = {}
    for wait_ms in WAITS_MS:
        script = f"read -t {wait_ms / 1000} || :" if wait_ms else ":"
        pid, status = police.run([tool, "-c", f"{script}; exit 0"], stdin=silent)
        ends[pid] = status
    police.told(since, "session_end", len(WAITS_MS))
    expected = {pid: "kill" if status else "none" for pid, status in ends.items()}
    ways: dict[int, str] = {}
    again, deadline = 0, time.monotonic() + SOON_S
    # Whom nobody has ended is told again when the report of that comes.
    while ways != expected and time.monotonic() < deadline:
        time.sleep(0.05)
        told = police.told_of(since, "exec")
        ways = {event["process"]["pid"]: event["enforcement"] for event in told}
        again = sum(str(event["reason"]).startswith("event ") for event in told)
    os.close(silent)
    os.close(held)
    assert ways == expected
    assert set(ends.values()) >= {-signal.SIGKILL}
    # How often it comes too late on this machine, and how often that is known late.
    print(Counter(ways.values()), again)  # noqa: T201
