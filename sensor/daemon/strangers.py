# SPDX-License-Identifier: Apache-2.0
"""Processes of no session that policy says something of: the kernel tells a pid and a name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sensor.core.facts import Connect, Hello, Process
from sensor.edge import proc

if TYPE_CHECKING:
    from sensor.core.facts import Exec, Fact


def introduced(fact: Fact) -> Fact:
    """Add what /proc shows of a stranger, if it still runs what it ran then or another image."""
    if not isinstance(fact, Connect | Hello) or fact.root.pid or not fact.process.pid:
        return fact
    image = _image(fact.process)
    return replace(fact, image=replace(image, cgroup_id=fact.cgroup_id)) if image else fact


def _image(process: Process) -> Exec | None:
    try:
        entry = proc.entry(process.pid)
    except OSError:
        return None
    if not proc.is_same(entry, process):
        return None
    return proc.image(replace(entry, process=process), Process(entry.ppid, 0))
