# SPDX-License-Identifier: Apache-2.0
"""What the kernel counts of loaded programs, through libbpf."""

from __future__ import annotations

import ctypes
import errno
import os
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING

from sensor.edge.libbpf import check, library, open_pin, program_of
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_U32 = ctypes.c_uint32
_BTF_KIND_FUNC = 12  # include/uapi/linux/btf.h


class _Info(ctypes.Structure):
    """``struct bpf_prog_info`` of include/uapi/linux/bpf.h, as far as it is read here."""

    _fields_ = (
        ("type", _U32),
        ("id", _U32),
        ("rest", ctypes.c_uint8 * 184),
        ("run_time_ns", ctypes.c_uint64),
        ("run_cnt", ctypes.c_uint64),
        ("recursion_misses", ctypes.c_uint64),
    )


def function_ids(names: Iterable[str]) -> list[int]:
    """Find the BTF ids of functions of the kernel; 0 for one that it does not have.

    Raises:
        SensorError: The kernel has no type information.

    """
    load, find, free = (
        library()["btf__load_vmlinux_btf"],
        library()["btf__find_by_name_kind"],
        library()["btf__free"],
    )
    load.restype, free.restype = ctypes.c_void_p, None
    find.argtypes, free.argtypes = [ctypes.c_void_p, ctypes.c_char_p, _U32], [ctypes.c_void_p]
    types = load()
    if not types:
        raise SensorError("libbpf cannot read the kernel's type information")
    try:
        return [max(0, int(find(types, name.encode(), _BTF_KIND_FUNC))) for name in names]
    finally:
        free(types)


def misses(program: int) -> int:
    """Count how often a program was not run as it ran on that CPU already; 0 before Linux 5.12."""
    info, size = _Info(), _U32(ctypes.sizeof(_Info))
    result = library().bpf_obj_get_info_by_fd(program, ctypes.byref(info), ctypes.byref(size))
    check(result, "cannot read what the kernel counts of a program")
    return int(info.recursion_misses)


class Programs:
    """The programs behind these pins, links or programs themselves, held open.

    What may not be opened (that takes CAP_SYS_ADMIN for those behind links) is left out.
    """

    def __init__(self, pins: Iterable[Path]) -> None:
        self._open: list[int] = []
        for pin in pins:
            with suppress(SensorError):
                self._hold(_opened(pin))

    def _hold(self, program: int) -> None:
        weakref.finalize(self, os.close, program).atexit = False
        self._open.append(program)

    def misses(self) -> int:
        """Add up how often any of them was not run."""
        return sum(misses(program) for program in self._open)


def _opened(pin: Path) -> int:
    fd = open_pin(str(pin))
    if not pin.name.startswith("link_"):
        return fd
    try:
        opened = int(library().bpf_prog_get_fd_by_id(program_of(fd)))
    finally:
        os.close(fd)
    if opened < 0:
        raise SensorError(f"{pin}: {os.strerror(ctypes.get_errno() or errno.EPERM)}")
    return opened
