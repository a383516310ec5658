# SPDX-License-Identifier: Apache-2.0
"""Whether there is anybody else on the machine whom a refusal could hit."""

from __future__ import annotations

from pathlib import Path

# The word that tests/vm puts on the kernel's command line.
IN_GUEST = "agent_sensor_guest=1"


def in_guest() -> bool:
    """Tell whether this kernel was booted for the tests alone."""
    return IN_GUEST in Path("/proc/cmdline").read_text("utf-8").split()
