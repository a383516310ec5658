# SPDX-License-Identifier: Apache-2.0
"""Capabilities: which the sensor uses, when, and what for.

The unit's bounding set, what the daemon keeps and docs/threat-model.md all
come from these tables; tests hold them to that.
"""

from __future__ import annotations

from enum import IntEnum


class Capability(IntEnum):
    """Capabilities by their number in include/uapi/linux/capability.h."""

    DAC_READ_SEARCH = 2
    KILL = 5
    SETGID = 6
    SETPCAP = 8
    NET_ADMIN = 12
    SYS_PTRACE = 19
    SYS_ADMIN = 21
    PERFMON = 38
    BPF = 39

    def __str__(self) -> str:
        return f"CAP_{self.name}"


RUNNING: dict[Capability, str] = {
    Capability.BPF: "read and write open maps, on kernels before 5.19",
    Capability.DAC_READ_SEARCH: "name cgroups by handle; read files in homes closed to others",
    Capability.SYS_PTRACE: "read exe, cwd and names of variables of other users' processes",
}
"""What the daemon keeps once the probes are in place."""

DEPUTY: dict[Capability, str] = {
    Capability.BPF: "open the pins of programs, and attach them",
    Capability.NET_ADMIN: "attach programs of cgroups' sockets; destroy sockets",
    Capability.SYS_ADMIN: "enter network namespaces whose sockets are listed or destroyed",
    Capability.SYS_PTRACE: "see whose a socket is; find the terminal of other users' processes",
    Capability.DAC_READ_SEARCH: "list the open files of other users' processes",
    Capability.KILL: "end processes that policy refuses",
}
"""What the deputy keeps, which runs while there is a policy."""

STARTING: dict[Capability, str] = {
    **RUNNING,
    Capability.PERFMON: "load programs that read kernel memory",
    Capability.NET_ADMIN: "load and attach programs of cgroups' sockets",
    Capability.SYS_ADMIN: "enter network namespaces to list connections that were open before",
    Capability.KILL: "leave it to the deputy",
    Capability.SETGID: "have the deputy write to terminals as a member of the group tty alone",
    Capability.SETPCAP: "give up for good all that is not kept",
}
"""What the daemon, its loader and its deputy need until then; the most that the unit allows."""
