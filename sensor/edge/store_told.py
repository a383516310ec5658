# SPDX-License-Identifier: Apache-2.0
"""The last seq that was told to anybody, in a file that a killed process leaves behind.

Events are told at once and stored a little later. Who is killed in between must
not use a seq again, and the next run has to say exactly what is missing. The
file costs one write to memory for each turn of the loop; it belongs into the run
directory, as it says nothing after a reboot (the store's lease does then).
"""

from __future__ import annotations

import os
from pathlib import Path
from struct import Struct
from typing import Self

from sensor.errors import StoreError

_NOTE = Struct("=36sQ")
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Told:
    """Notes seqs at ``path``. ``before`` is what the run before noted, None if it did not.

    Raises StoreError where there can be no such file.
    """

    def __init__(self, path: Path) -> None:
        self._boot = _BOOT.read_bytes().strip()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            self._file = os.open(path, flags, 0o600)
            noted = os.pread(self._file, _NOTE.size, 0)
        except OSError as problem:
            raise StoreError(
                f"{path}: {problem.strerror}; remove it, or make its folder"
            ) from problem
        self.before = self._read(noted)

    def _read(self, noted: bytes) -> int | None:
        if len(noted) != _NOTE.size:
            return None
        boot, seq = _NOTE.unpack(noted)
        return seq if boot == self._boot else None

    def note(self, seq: int) -> None:
        """Note a seq that is about to be told."""
        os.pwrite(self._file, _NOTE.pack(self._boot, seq), 0)

    def close(self) -> None:
        """Let go of the file, which stays."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
