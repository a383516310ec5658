# SPDX-License-Identifier: Apache-2.0
"""Programs that do one thing once: what a kernel test runs and then counts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_SOURCES = Path(__file__).parent
_CC = ["cc", "-static", "-O1", "-Wall", "-Werror", "-pthread"]


class Drivers:
    """The compiled drivers, each under whatever name a test wants it to bear."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for source in sorted(_SOURCES.glob("*.c")):
            program = folder / "built" / source.stem
            program.parent.mkdir(exist_ok=True)
            subprocess.run([*_CC, "-o", program, source], check=True)

    def named(self, name: str, operation: str) -> Path:
        """Give the driver of ``operation`` as a file called ``name``."""
        program = self._folder / operation / name
        if not program.exists():
            program.parent.mkdir(exist_ok=True)
            shutil.copy(self._folder / "built" / operation, program)
        return program

    def tool(self, operation: str) -> Path:
        """Give the driver of ``operation`` under the name of an AI tool: ``claude``."""
        return self.named("claude", operation)

    def plain(self, operation: str) -> Path:
        """Give the driver of ``operation`` under its own, ordinary name."""
        return self.named(operation, operation)
