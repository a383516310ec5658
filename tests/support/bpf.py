# SPDX-License-Identifier: Apache-2.0
"""BPF objects of a test's own, made without the code under test."""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scope import Scope

_bpf = ctypes.CDLL("libbpf.so.1", use_errno=True)

# linux/bpf.h
_CGROUP_SOCK_ADDR, CONNECT4 = 18, 10
SKB, EGRESS = 8, 1
# r0 = 1; exit: lets everything pass. r0 = 0; exit: nothing.
_ALLOW = bytes([0xB7, 0, 0, 0, 1, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0])
_REFUSE = bytes([0xB7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0])


class MapKind(IntEnum):
    """Some of enum bpf_map_type."""

    HASH = 1
    ARRAY = 2
    PERCPU_ARRAY = 6
    LPM_TRIE = 11
    RING = 27


class _LoadOptions(ctypes.Structure):
    """The start of ``struct bpf_prog_load_opts``, bpf/bpf.h."""

    _fields_ = (
        ("sz", ctypes.c_size_t),
        ("attempts", ctypes.c_int),
        ("expected_attach_type", ctypes.c_int),
    )


class _MapOptions(ctypes.Structure):
    """The start of ``struct bpf_map_create_opts``, bpf/bpf.h."""

    _fields_ = (
        ("sz", ctypes.c_size_t),
        ("unused", ctypes.c_uint32 * 5),
        ("map_flags", ctypes.c_uint32),
    )


_NO_PREALLOC = 1


def make_map(
    kind: MapKind, *, key: int = 4, value: int = 8, entries: int = 1, no_prealloc: bool = False
) -> int:
    """Make a map; the caller owns the descriptor."""
    options = _MapOptions(sz=ctypes.sizeof(_MapOptions), map_flags=_NO_PREALLOC * no_prealloc)
    return _checked(_bpf.bpf_map_create(kind, b"test", key, value, entries, ctypes.byref(options)))


def open_here() -> int:
    """Count the descriptors of this process, which is what maps and programs are to it."""
    return len([*Path("/proc/self/fd").iterdir()])


def possible_cpus() -> int:
    """Count what /sys lists as ``0-3,8``."""
    text = Path("/sys/devices/system/cpu/possible").read_text("ascii")
    ranges = [part.partition("-")[::2] for part in text.strip().split(",")]
    return sum(int(last or first) - int(first) + 1 for first, last in ranges)


@contextmanager
def only_one_program(scope: Scope) -> Iterator[None]:
    """Have a program at the scope that lets all IPv4 connections pass and no other program in."""
    with _attached(scope, _ALLOW):
        yield


@contextmanager
def refusing_connections(scope: Scope) -> Iterator[None]:
    """Have a program at the scope that lets no IPv4 connection pass."""
    with _attached(scope, _REFUSE):
        yield


def make_program(kind: int, attach_type: int, code: bytes = _ALLOW) -> int:
    """Load a program; the caller owns the descriptor."""
    options = _LoadOptions(sz=ctypes.sizeof(_LoadOptions), expected_attach_type=attach_type)
    return _checked(
        _bpf.bpf_prog_load(kind, b"test", b"GPL", code, len(code) // 8, ctypes.byref(options))
    )


@contextmanager
def _attached(scope: Scope, code: bytes) -> Iterator[None]:
    program = make_program(_CGROUP_SOCK_ADDR, CONNECT4, code)
    cgroup = os.open(scope.path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _checked(_bpf.bpf_prog_attach(program, cgroup, CONNECT4, 0))
        yield
        _checked(_bpf.bpf_prog_detach2(program, cgroup, CONNECT4))
    finally:
        os.close(cgroup)
        os.close(program)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result
