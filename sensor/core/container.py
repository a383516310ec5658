# SPDX-License-Identifier: Apache-2.0
"""Containers: which one a process is in, by the name that its runtime gave the cgroup.

Whoever may make cgroups may give them such a name: it is a word to read and to search
for, and nothing is judged by it. Policy asks for the pid namespace instead.
"""

from __future__ import annotations

import re
from functools import lru_cache

SHORT = 12
"""Digits of an id that its runtime shows, and takes for the whole."""

_REMEMBERED = 1024
_ID = "[0-9a-f]{64}"

# docker, podman (--cgroups=split: payload), CRI-O, containerd's CRI plugin and nerdctl, each by
# systemd (.scope) and by cgroups of its own, where docker and Kubernetes take the bare id. With a
# colon: runc, told to use no systemd and given a path that is meant for it.
_BY_ID = re.compile(
    rf"(?:(?:docker|libpod|libpod-payload|crio|cri-containerd|nerdctl)-)?({_ID})(?:\.scope)?"
    rf"|[^:]+:[^:]+:({_ID})"
)
# systemd-machined's scope and systemd-nspawn@.service; LXC 4 and later (src/lxc/cgroups/cgfsng.c).
_BY_NAME = re.compile(
    r"(?:machine-(.+)\.scope|systemd-nspawn@(.+)\.service|lxc\.payload\.(.+))", re.DOTALL
)
_LXC = "lxc"  # before LXC 4: a folder of this name, and the container's in it
_SUPERVISOR = "supervisor"  # beside the payload: systemd-nspawn itself, which is outside
_VIRTUAL_MACHINE = "qemu-"  # libvirt's, among machined's machines

# What systemd calls a machine, and LXC a container: hostname_is_valid() of systemd, with "_".
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")  # systemd.unit(5), "String Escaping for Inclusion"


@lru_cache(_REMEMBERED)
def container_of(cgroup: str | None) -> str | None:
    """Name the container of a cgroup's path: a full id, or a name where the runtime has no ids.

    The outermost counts, which is the host's own: what is within a container can make
    up cgroups below its own one, and none around it.
    """
    parts = (cgroup or "").split("/")
    for before, part, after in zip(["", *parts], parts, [*parts[1:], ""], strict=False):
        if found := _BY_ID.fullmatch(part):
            return found[1] or found[2]
        if (name := _named(before, part)) and after != _SUPERVISOR:
            return name
    return None


def is_id(container: str) -> bool:
    """Tell whether this is an id; else it is a name."""
    return re.fullmatch(_ID, container) is not None


def short(container: str) -> str:
    """Shorten an id as its runtime does; a name stays whole."""
    return container[:SHORT] if is_id(container) else container


def _named(before: str, part: str) -> str | None:
    """Give the name that a part of a path holds; None where it is none, or an impossible one."""
    found = _BY_NAME.fullmatch(part)
    held = next(filter(None, found.groups()), "") if found else part if before == _LXC else ""
    name = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), held)
    is_possible = _NAME.fullmatch(name) and not name.startswith(_VIRTUAL_MACHINE)
    return name if is_possible else None
