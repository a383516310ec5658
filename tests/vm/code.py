# SPDX-License-Identifier: Apache-2.0
"""The probes for a guest's kernel, compiled on this machine: translated, clang takes a minute.

``CACHE_DIRECTORY=FOLDER python -m vm.code IMAGE`` keeps them in the folder, as a sensor on that
kernel would. It is a process of its own, as BCC stays in memory.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.daemon.kept_code import VARIABLE
from sensor.daemon.loader import Kernel, probes, ready_for
from vm.guest import GuestError

if TYPE_CHECKING:
    from vm import kernels

# init/version.c, linux_banner: release, who built it and by what, and from "#" on the version.
BANNER = re.compile(rb"Linux version (\S+) [^\n\0]+ (#\d+ [^\n\0]+)\n")


def code_for(found: kernels.Kernel) -> Path:
    """Give a folder in which a guest's sensors find the code.

    Raises:
        GuestError: They do not compile for this kernel.

    """
    folder = found.folder / "code"
    folder.mkdir(mode=0o700, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "vm.code", found.image],
        env=os.environ | {VARIABLE: str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="backslashreplace",
        check=False,
    )
    if done.returncode:
        raise GuestError(f"{found.name}: the probes were not compiled for it:\n{done.stdout}")
    return folder


def inside(image: Path) -> Kernel:
    """Read from a kernel's ELF file what it says of itself when it runs.

    Raises:
        GuestError: It says no version, or has no types.

    """
    banner = BANNER.search(image.read_bytes())
    if not banner:
        raise GuestError(f"{image}: there is no version in it")
    with tempfile.TemporaryDirectory() as scratch:
        types = Path(scratch, "types")
        subprocess.run(
            ["objcopy", "--output-target=binary", "--only-section=.BTF", image, types], check=True
        )
        if not types.stat().st_size:
            raise GuestError(f"{image}: there is no section .BTF in it")
        release, version = (text.decode() for text in banner.groups())
        return Kernel(release, version, os.uname().machine, types.read_bytes())


if __name__ == "__main__":
    ready_for(inside(Path(sys.argv[1])), probes(), say=print)
