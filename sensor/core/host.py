# SPDX-License-Identifier: Apache-2.0
"""The host, as far as the core has to know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sensor.core.facts import Process


class Host(Protocol):
    """What is not in any fact. Looked up at every exec: whoever gives it keeps it at hand."""

    @property
    def boot_id(self) -> str:
        """Which boot this is (``/proc/sys/kernel/random/boot_id``)."""

    @property
    def name(self) -> str:
        """The host's own name."""

    @property
    def wall_offset_ns(self) -> int:
        """Wall clock minus CLOCK_BOOTTIME; changes when the clock is set."""

    def user(self, uid: int) -> str | None:
        """Return the name of a user, None for one without."""

    def cgroup(self, cgroup_id: int) -> str | None:
        """Return the path of a cgroup below the root of its hierarchy, None when it is gone."""

    def in_container(self, process: Process) -> bool:
        """Tell whether a process is in a pid namespace of its own; no for one that has ended."""
