# SPDX-License-Identifier: Apache-2.0
"""However a sensor ends, it takes everything out of the kernel with it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from support.footprint import alive, footprint
from support.patience import SOON_S
from support.scope import Scope
from support.watching import Watching

# Each starts daemons or tables of its own, which takes an emulated kernel long.
pytestmark = [pytest.mark.kernel, pytest.mark.long]


def mounts() -> set[str]:
    """Give the mounts of the host's namespace, but for those that other runs of tests make."""
    lines = Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
    return {line for line in lines if "/pytest-of-" not in line}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_stays_in_the_kernel(how: signal.Signals) -> None:
    """No link, program, map or mount outlives the sensor, even one that was killed."""
    before = mounts()
    with Scope() as scope:
        with Watching(scope) as watching:
            held = footprint(scope)
            assert {kind for kind, _ in held} == {"link", "prog", "map"}
            status = watching.stop(how)
        assert status == (-how if how is signal.SIGKILL else 0)
        deadline = time.monotonic() + SOON_S
        while left := alive(held):
            assert time.monotonic() < deadline, f"after {how.name} the kernel still has {left}"
            time.sleep(0.05)
    assert mounts() == before
