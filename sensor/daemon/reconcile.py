# SPDX-License-Identifier: Apache-2.0
"""What was there before the probes: running tools, what they started, their connections."""

from __future__ import annotations

import ipaddress
import json
import subprocess
import time
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from sensor.core.facts import Connect, Process, Transport
from sensor.daemon.probing import command
from sensor.edge import proc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sensor.core.facts import Exec

_NOBODY = Process(0, 0)
_ASKED_S = 10.0


def running(
    scope: Path,
    *,
    top: Path,
    known: Callable[[int], Process | None],
    roots: Mapping[int, Process] = MappingProxyType({}),
) -> Iterator[Exec]:
    """Give the images that run in ``scope``, parents before children.

    Leaves out what the kernel follows already: the ring buffer tells of that.
    ``roots`` began sessions of a run before, by their pids: they keep the time
    that they are known by.
    """
    seen: dict[int, Process] = {}
    for listed in proc.entries(scope, top=top):
        root = roots.get(listed.process.pid)
        entry = replace(listed, process=root) if root and proc.is_same(listed, root) else listed
        followed = known(entry.process.pid)
        # By the kernel's start time, which is finer than that of /proc.
        seen[entry.process.pid] = followed or entry.process
        if followed:
            continue
        if fact := proc.image(entry, seen.get(entry.ppid, _NOBODY)):
            yield fact


def followed(members: dict[Process, Process], scope: Path, *, top: Path) -> Iterator[Exec]:
    """Give the images of processes that the kernel follows, by its start times and roots.

    ``members`` has the root of each. Parents come before children.
    """
    by_pid = {process.pid: process for process in members}
    for entry in proc.entries(scope, top=top):
        process = by_pid.get(entry.process.pid)
        if process is None:
            continue
        known = replace(entry, process=process)
        if fact := proc.image(known, by_pid.get(entry.ppid, _NOBODY)):
            yield replace(fact, root=members[process])


def connections(processes: dict[Process, Process]) -> Iterator[Connect]:
    """Give the open TCP connections of processes (each with its session's root).

    A process of its own asks the kernel, once a network namespace.
    """
    owners = {inode: process for process in processes for inode in proc.sockets(process.pid)}
    asked: set[str] = set()
    for process in processes:
        namespace = proc.network_namespace(process.pid)
        if namespace is None or namespace in asked:
            continue
        asked.add(namespace)
        for inode, cookie, address, port in _list_sockets(process.pid):
            if owner := owners.get(inode):
                yield Connect(
                    at_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
                    process=owner,
                    root=processes[owner],
                    uid=0,
                    cookie=cookie,
                    address=_address(address),
                    port=port,
                    transport=Transport.TCP,
                    late=True,
                )


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def _list_sockets(pid: int) -> list[tuple[int, int, str, int]]:
    try:
        done = subprocess.run(
            command("sockets", str(pid)), capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, timeout=_ASKED_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:  # a start is not to wait for one namespace
        return []
    # It ended in the meantime, or its namespace cannot be entered: nothing to add.
    return [] if done.returncode else [tuple(one) for one in json.loads(done.stdout)]
