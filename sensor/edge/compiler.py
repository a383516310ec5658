# SPDX-License-Identifier: Apache-2.0
"""BCC: source text in, loaded programs and maps out.

Importing bcc costs 60 MB and a compile 70 MB more, so only the short-lived
loader imports this file. ``bcc`` here is Debian's python3-bpfcc.
"""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

from sensor.errors import SensorError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Compiled:
    """The compiled probes; maps exist already, programs are loaded one by one.

    ``headers`` is the tree that stands in for kernel headers, ``flags`` go to
    clang. Raises UnsupportedError without bcc, SensorError where the text does
    not compile (clang has then written its reasons to stderr).
    """

    def __init__(self, text: str, *, headers: Path, flags: Sequence[str]) -> None:
        os.environ["BCC_KERNEL_SOURCE"] = str(headers)
        try:
            from bcc import BPF, lib  # noqa: PLC0415  # 60 MB: only where it compiles
        except ImportError as problem:
            raise UnsupportedError(
                "python3-bpfcc is not installed (the bcc of PyPI is another thing):"
                " run apt install python3-bpfcc"
            ) from problem
        self._lib = lib
        try:
            self._bpf = BPF(text=text, cflags=list(flags))
        except Exception as problem:
            raise SensorError(
                f"the probes did not compile or their maps were refused: {problem}"
            ) from problem

    def programs(self) -> list[str]:
        """Name the functions that became programs."""
        lib, module = self._lib, self._bpf.module
        count = lib.bpf_num_functions(module)
        return [lib.bpf_function_name(module, i).decode() for i in range(count)]

    def code(self, name: str) -> bytes:
        """Give the instructions of one program, for whoever loads it otherwise."""
        return bytes(self._bpf.dump_func(name.encode()))

    def map(self, name: str) -> int:
        """Give the descriptor of a map by its name in the source."""
        return int(self._bpf[name.encode()].map_fd)

    def maps(self) -> dict[str, int]:
        """Give the descriptors of all maps, also of those that only programs use."""
        lib, module = self._lib, self._bpf.module
        # src/cc/bpf_module.h; bcc's Python does not ask for them by number.
        name, fd = lib.bpf_table_name, lib.bpf_table_fd_id
        name.restype, name.argtypes = ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_size_t]
        fd.restype, fd.argtypes = ctypes.c_int, [ctypes.c_void_p, ctypes.c_size_t]
        numbers = range(lib.bpf_num_tables(module))
        return {name(module, i).decode(): fd(module, i) for i in numbers}
