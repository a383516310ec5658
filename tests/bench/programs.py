# SPDX-License-Identifier: Apache-2.0
"""What the kernel counts of BPF programs while its run-time statistics are on."""

from __future__ import annotations

import ctypes
import os
import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.edge import libbpf
from sensor.wire.programs import Hook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_U32, _U64 = ctypes.c_uint32, ctypes.c_uint64
_bpf = ctypes.CDLL("libbpf.so.1", use_errno=True)
_STATS_RUN_TIME = 0  # linux/bpf.h: enum bpf_stats_type
_RAW_TRACEPOINT = 17  # linux/bpf.h: enum bpf_prog_type
_MAPS_MAX = 64
# Two instructions: BPF_MOV64_IMM of 0 to r0, BPF_EXIT.
_EMPTY = bytes.fromhex("b700000000000000 9500000000000000")
# The same with a 1: BPF_PROG_TYPE_CGROUP_SKB drops what gets a 0.
_PASS = bytes.fromhex("b700000001000000 9500000000000000")


class _Info(ctypes.Structure):
    """``struct bpf_prog_info`` of linux/bpf.h, as far as it is read here."""

    _fields_ = (
        ("type", _U32), ("id", _U32), ("tag", ctypes.c_uint8 * 8), ("lengths", _U32 * 2),
        ("instructions", _U64 * 2), ("load_time", _U64), ("created_by_uid", _U32),
        ("nr_map_ids", _U32), ("map_ids", _U64), ("name", ctypes.c_char * 16),
        ("between", ctypes.c_uint8 * 112), ("run_time_ns", _U64), ("run_cnt", _U64),
        ("rest", ctypes.c_uint8 * 32),
    )  # fmt: skip


class _TestRun(ctypes.Structure):
    """``struct bpf_test_run_opts`` of bpf/bpf.h, which lays it out without padding."""

    _fields_ = (
        ("sz", ctypes.c_size_t), ("data_in", ctypes.c_char_p), ("data_out", ctypes.c_void_p),
        ("data_size_in", _U32), ("data_size_out", _U32), ("ctx_in", ctypes.c_void_p),
        ("ctx_out", ctypes.c_void_p), ("ctx_size_in", _U32), ("ctx_size_out", _U32),
        ("retval", _U32), ("repeat", ctypes.c_int), ("duration", _U32), ("flags", _U32),
        ("cpu", _U32), ("batch_size", _U32),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Runs:
    """How often programs ran, and for how long altogether."""

    count: int
    total_ns: int

    def since(self, before: Runs) -> Runs:
        """Give what was added after ``before``."""
        return Runs(self.count - before.count, self.total_ns - before.total_ns)


class Programs:
    """The programs of one sensor, by name: those that use a map which it has open."""

    def __init__(self, sensor_pid: int) -> None:
        ours = set(_open_maps(sensor_pid))
        self._fds: dict[str, int] = {}
        for number in _ids():
            fd = _bpf.bpf_prog_get_fd_by_id(number)
            if fd < 0:
                continue
            info, maps = _read(fd)
            if ours & set(maps):
                self._fds[info.name.decode()] = fd
            else:
                os.close(fd)

    def runs(self) -> dict[str, Runs]:
        """Read the counters of all programs."""
        infos = {name: _read(fd)[0] for name, fd in self._fds.items()}
        return {name: Runs(info.run_cnt, info.run_time_ns) for name, info in infos.items()}

    def total_ns(self) -> int:
        """Give how long all of them ran altogether, of the whole host's work."""
        return sum(runs.total_ns for runs in self.runs().values())

    def fd(self, name: str) -> int:
        """Give the descriptor of one program."""
        return self._fds[name]

    def close(self) -> None:
        """Let go of the programs."""
        for fd in self._fds.values():
            os.close(fd)


@contextmanager
def statistics() -> Iterator[None]:
    """Have the kernel count runs and their time; the end of this process ends it too."""
    fd = _bpf.bpf_enable_stats(_STATS_RUN_TIME)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "BPF_ENABLE_STATS")
    try:
        yield
    finally:
        os.close(fd)


@contextmanager
def empty_program(tracepoint: str) -> Iterator[int]:
    """Attach a program that does nothing; yields its descriptor. What it takes is the counting."""
    fd = _bpf.bpf_prog_load(
        _RAW_TRACEPOINT, b"empty", b"GPL", _EMPTY, ctypes.c_size_t(len(_EMPTY) // 8), None
    )
    link = _bpf.bpf_raw_tracepoint_open(tracepoint.encode(), fd)
    if link < 0:
        raise OSError(ctypes.get_errno(), f"raw tracepoint {tracepoint}")
    try:
        yield fd
    finally:
        os.close(link)
        os.close(fd)


@contextmanager
def empty_packet_program(cgroup: Path) -> Iterator[int]:
    """Do the same for packets that leave a cgroup; it lets all go."""
    fd = _bpf.bpf_prog_load(
        Hook.EGRESS.program_type, b"empty", b"GPL", _PASS, ctypes.c_size_t(len(_PASS) // 8), None
    )
    folder = os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY)
    try:
        link = libbpf.attach_cgroup(fd, folder, Hook.EGRESS.attach_type or 0)
        try:
            yield fd
        finally:
            os.close(link)
    finally:
        os.close(folder)
        os.close(fd)


def runs_of(fd: int) -> Runs:
    """Read the counters of one program."""
    info, _ = _read(fd)
    return Runs(info.run_cnt, info.run_time_ns)


def test_run_ns(fd: int, packet: bytes, repeat: int) -> int:
    """Have the kernel run a program on a packet again and again; give the mean ns of a run."""
    run = _TestRun(
        sz=ctypes.sizeof(_TestRun), data_in=packet, data_size_in=len(packet), repeat=repeat
    )
    if _bpf.bpf_prog_test_run_opts(fd, ctypes.byref(run)):
        raise OSError(ctypes.get_errno(), "bpf_prog_test_run_opts")
    return int(run.duration)


def attached() -> Sequence[str]:
    """Name every program that the kernel holds, whoever's."""
    names = []
    for number in _ids():
        fd = _bpf.bpf_prog_get_fd_by_id(number)
        if fd >= 0:
            names.append(_read(fd)[0].name.decode())
            os.close(fd)
    return names


def _ids() -> Iterator[int]:
    each = _U32(0)
    while _bpf.bpf_prog_get_next_id(each, ctypes.byref(each)) == 0:
        yield each.value


def _read(fd: int) -> tuple[_Info, Sequence[int]]:
    ids = (_U32 * _MAPS_MAX)()
    info = _Info(nr_map_ids=_MAPS_MAX, map_ids=ctypes.addressof(ids))
    size = _U32(ctypes.sizeof(info))
    if _bpf.bpf_obj_get_info_by_fd(fd, ctypes.byref(info), ctypes.byref(size)):
        raise OSError(ctypes.get_errno(), "bpf_obj_get_info_by_fd")
    return info, ids[: info.nr_map_ids]


def _open_maps(pid: int) -> Iterator[int]:
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        with suppress(OSError):
            if match := re.search(r"^map_id:\s*(\d+)$", path.read_text("ascii"), re.MULTILINE):
                yield int(match[1])
