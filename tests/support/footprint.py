# SPDX-License-Identifier: Apache-2.0
"""What one sensor has in the kernel: links, programs and maps, found from the kernel's side.

It starts from the links at the scope's cgroup and goes by shared maps to all
other programs, so that sensors of other tests on the same host do not count.
"""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scope import Scope

_U32, _U64 = ctypes.c_uint32, ctypes.c_uint64
_LINK_OF_CGROUP = 3  # linux/bpf.h: BPF_LINK_TYPE_CGROUP
_MAPS_MAX = 64
_bpf = ctypes.CDLL("libbpf.so.1", use_errno=True)


class _LinkInfo(ctypes.Structure):
    """The start of ``struct bpf_link_info``, linux/bpf.h."""

    _fields_ = (
        ("type", _U32),
        ("id", _U32),
        ("prog_id", _U32),
        ("_", _U32),
        ("cgroup_id", _U64),
        ("rest", ctypes.c_uint8 * 104),
    )


class _ProgramInfo(ctypes.Structure):
    """The start of ``struct bpf_prog_info``, linux/bpf.h."""

    _fields_ = (
        ("type", _U32),
        ("id", _U32),
        ("_", ctypes.c_uint8 * 40),
        ("created_by_uid", _U32),
        ("nr_map_ids", _U32),
        ("map_ids", _U64),
    )


def footprint(scope: Scope) -> set[tuple[str, int]]:
    """Find kind and id of all that the sensor of this scope holds in the kernel."""
    links = list(_links())
    maps_of = {program: maps for program in _ids("prog") if (maps := _maps(program))}
    cgroup_id = scope.path.stat().st_ino
    at_scope = {
        link.prog_id
        for link in links
        if link.type == _LINK_OF_CGROUP and link.cgroup_id == cgroup_id
    }
    maps = {each for program in at_scope for each in maps_of.get(program, ())}
    programs = {program for program, used in maps_of.items() if maps & used}
    return (
        {("map", each) for each in maps}
        | {("prog", each) for each in programs}
        | {("link", link.id) for link in links if link.prog_id in programs}
    )


def alive(objects: set[tuple[str, int]]) -> set[tuple[str, int]]:
    """Give those that the kernel still has."""
    return {(kind, each) for kind, each in objects if each in set(_ids(kind))}


def _ids(kind: str) -> Iterator[int]:
    """Go through the ids of all maps, programs or links of the host."""
    each = _U32(0)
    while getattr(_bpf, f"bpf_{kind}_get_next_id")(each, ctypes.byref(each)) == 0:
        yield each.value


def _read(kind: str, number: int, info: ctypes.Structure) -> bool:
    """Fill ``info``; false where the object has gone meanwhile."""
    fd = getattr(_bpf, f"bpf_{kind}_get_fd_by_id")(number)
    if fd < 0:
        return False
    size = _U32(ctypes.sizeof(info))
    try:
        return bool(_bpf.bpf_obj_get_info_by_fd(fd, ctypes.byref(info), ctypes.byref(size)) == 0)
    finally:
        os.close(fd)


def _links() -> Iterator[_LinkInfo]:
    for number in _ids("link"):
        info = _LinkInfo()
        if _read("link", number, info):
            yield info


def _maps(program: int) -> set[int]:
    """Give the ids of the maps that a program uses."""
    ids = (_U32 * _MAPS_MAX)()
    info = _ProgramInfo(nr_map_ids=_MAPS_MAX, map_ids=ctypes.addressof(ids))
    if not _read("prog", program, info):
        return set()
    return set(ids[: info.nr_map_ids])
