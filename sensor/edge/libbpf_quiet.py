# SPDX-License-Identifier: Apache-2.0
"""Waits until every BPF program that ran when it was asked has ended.

kernel/bpf/syscall.c, maybe_wait_bpf_programs(): when an update of a map of maps returns, no
program is left that has seen what was there before. The map here has no other use.
"""

from __future__ import annotations

import ctypes
import os
from typing import Self

from sensor.errors import SensorError

_INT, _U32, _PTR = ctypes.c_int, ctypes.c_uint32, ctypes.c_void_p
# include/uapi/linux/bpf.h: BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_ARRAY_OF_MAPS
_ARRAY, _ARRAY_OF_MAPS = 2, 12
_KEY = bytes(4)


class _MapOptions(ctypes.Structure):
    """``struct bpf_map_create_opts`` of bpf/bpf.h, up to what is given."""

    _fields_ = (
        ("sz", ctypes.c_size_t),
        ("btf_fd", _U32),
        ("btf_key_type_id", _U32),
        ("btf_value_type_id", _U32),
        ("btf_vmlinux_value_type_id", _U32),
        ("inner_map_fd", _U32),
    )


class Quiet:
    """A map of maps of our own, for the length of a ``with``."""

    def __enter__(self) -> Self:
        self._library = ctypes.CDLL("libbpf.so.1", use_errno=True)
        self._library.bpf_map_update_elem.argtypes = [_INT, _PTR, _PTR, ctypes.c_uint64]
        self._inner = self._made(_ARRAY, 8, None)
        try:
            options = _MapOptions(sz=ctypes.sizeof(_MapOptions), inner_map_fd=self._inner)
            self._outer = self._made(_ARRAY_OF_MAPS, 4, ctypes.byref(options))
        except SensorError:
            os.close(self._inner)
            raise
        return self

    def __exit__(self, *_of_the_with: object) -> None:
        os.close(self._outer)
        os.close(self._inner)

    def wait(self) -> None:
        """Return when all programs that run now have ended; milliseconds."""
        inner = self._inner.to_bytes(4, "little")
        if self._library.bpf_map_update_elem(self._outer, _KEY, inner, 0) < 0:
            raise SensorError(f"cannot wait for programs: {os.strerror(ctypes.get_errno())}")

    def _made(self, kind: int, value_bytes: int, options: object) -> int:
        fd = int(self._library.bpf_map_create(kind, b"quiet", 4, value_bytes, 1, options))
        if fd < 0:
            raise SensorError(f"cannot make a map of maps: {os.strerror(-fd)}; it takes CAP_BPF")
        return fd
