# SPDX-License-Identifier: Apache-2.0
"""The place of `prove`: by its cgroup, what happens there is told from what people do.

The name alone would be anybody's to take who has cgroups of their own, and with it
what they do would be out of sight. So it counts for root, and where root alone makes
cgroups: not below a user's service manager, nor within a container.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from sensor.core.container import container_of

if TYPE_CHECKING:
    from sensor.core.event import ProcessView

PREFIX = "agent-sensor-prove-"
"""Of the cgroup, behind which is the pid of the prover, and of its folder."""

_OWN = re.compile(rf"{PREFIX}[0-9]+")
_DELEGATED = re.compile(r"user@[0-9]+\.service")  # user@.service(5), Delegate=
_REMEMBERED = 1024


def is_proof(process: ProcessView | None) -> bool:
    """Tell whether a process is one of `prove`, by which nobody uses anything."""
    return process is not None and process.uid == 0 and _is_own(process.cgroup)


@lru_cache(_REMEMBERED)
def _is_own(cgroup: str | None) -> bool:
    *around, last = (cgroup or "").split("/")
    is_roots = not any(map(_DELEGATED.fullmatch, around)) and container_of(cgroup) is None
    return bool(_OWN.fullmatch(last)) and is_roots
