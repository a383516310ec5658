# SPDX-License-Identifier: Apache-2.0
"""Programs that do one thing once: what a kernel test runs and then counts."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_SOURCES = Path(__file__).parent
_CHECKOUT = _SOURCES.parents[2]
_CACHE = Path(os.environ.get("AGENT_SENSOR_CACHE") or _CHECKOUT / ".cache")
_CC = ["cc", "-static", "-O1", "-Wall", "-Werror", "-pthread"]


@functools.cache
def built() -> Path:
    """Compile what has changed; emulated guests, where that takes minutes, find it done."""
    sources = sorted(_SOURCES.glob("*.[ch]"))
    text = b"\0".join([" ".join(_CC).encode(), *(source.read_bytes() for source in sources)])
    programs = _CACHE / "drivers" / hashlib.blake2b(text, digest_size=8).hexdigest()
    if programs.exists():
        return programs
    programs.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=programs.parent))
    for source in sources:
        if source.suffix == ".c":
            subprocess.run([*_CC, "-o", fresh / source.stem, source], check=True)
    try:
        fresh.rename(programs)
    except OSError:
        if not programs.exists():
            raise
        shutil.rmtree(fresh)  # another run was faster
    return programs


class Drivers:
    """The compiled drivers, each under whatever name a test wants it to bear."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built = built()

    def named(self, name: str, operation: str) -> Path:
        """Give the driver of ``operation`` as a file called ``name``."""
        program = self._folder / operation / name
        if not program.exists():
            program.parent.mkdir(exist_ok=True)
            shutil.copy(self._built / operation, program)
        return program

    def tool(self, operation: str) -> Path:
        """Give the driver of ``operation`` under the name of an AI tool: ``claude``."""
        return self.named("claude", operation)

    def plain(self, operation: str) -> Path:
        """Give the driver of ``operation`` under its own, ordinary name."""
        return self.named(operation, operation)
