# SPDX-License-Identifier: Apache-2.0
"""Ends a process, and surely that one: a pidfd is no number that somebody else can get."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from sensor.errors import NotPermittedError, SensorError

if TYPE_CHECKING:
    from collections.abc import Callable


def kill(pid: int, *, is_it: Callable[[], bool]) -> bool:
    """Send SIGKILL to the process that has a pid, if ``is_it`` holds of it.

    ``is_it`` is asked while the process is held: whatever it reads under the
    pid is of that process, or fails because it has ended. Returns False where
    there is no such process any more. Raises NotPermittedError without CAP_KILL.
    """
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    except OSError as problem:  # the pid of a thread, or none at all
        raise SensorError(f"process {pid}: {problem.strerror}; not killed") from problem
    try:
        if not is_it():
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return False
    except PermissionError as problem:
        raise NotPermittedError(f"process {pid}: cannot be killed; it takes CAP_KILL") from problem
    finally:
        os.close(handle)
    return True
