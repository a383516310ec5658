# SPDX-License-Identifier: Apache-2.0
"""The machine that was measured, in a few words."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path

_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


def describe() -> tuple[str, ...]:
    """Give sentences: kernel, processor, how busy it is, and the day."""
    system = os.uname()
    return (
        f"Measured {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC on kernel {system.release}.",
        f"{os.cpu_count()} x {_model()} ({system.machine}), governor {_governor()}.",
        f"Load before the run {load()}; {_others()} sensors of others were attached.",
    )


def _model() -> str:
    text = Path("/proc/cpuinfo").read_text("utf-8", "backslashreplace")
    match = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return match[1] if match else "unknown processor"


def _governor() -> str:
    return _GOVERNOR.read_text("ascii").strip() if _GOVERNOR.exists() else "not readable"


def load() -> str:
    """Give the load averages of 1, 5 and 15 minutes; the bench itself is about 1."""
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def _others() -> int:
    from bench.programs import attached  # noqa: PLC0415  # loads libbpf

    return sum(name.startswith("seen_exec") for name in attached())
