# SPDX-License-Identifier: Apache-2.0
"""A process that must not outlive the one that started it (prctl(2), PR_SET_PDEATHSIG)."""

from __future__ import annotations

import ctypes
import os
import signal

from sensor.errors import SensorError

_PR_SET_PDEATHSIG = 1  # include/uapi/linux/prctl.h


def die_with(parent: int) -> None:
    """Have the kernel kill this process when ``parent``, which has to be its own, ends.

    Raises SensorError where that one has ended already.
    """
    zero = ctypes.c_ulong(0)
    death = ctypes.c_ulong(signal.SIGKILL)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, death, zero, zero, zero)
    if os.getppid() != parent:
        raise SensorError(f"process {parent}, which started this one, has ended; nothing to do")


def groups(*wanted: int) -> None:
    """Have these supplementary groups and no others; takes CAP_SETGID."""
    try:
        os.setgroups(wanted)
    except PermissionError as problem:
        raise SensorError("cannot change groups: it takes CAP_SETGID; run it as root") from problem
