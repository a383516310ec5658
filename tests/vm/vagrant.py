# SPDX-License-Identifier: Apache-2.0
"""`make vagrant-test`: the README's walk through a guest, in a box that is made on the spot.

It types what the README says, from `vagrant up` to `vagrant destroy`, and looks at what
the terminals show. The guest is libvirt's, emulated, with everything about it in
namespaces and a folder that end with this process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from vm import box, libvirt, walk
from vm.__main__ import CACHE, INTERRUPTED, TERMINATED
from vm.bootable import DiskError
from vm.guest import CHECKOUT
from vm.libvirt import LibvirtError
from vm.mirror import UnavailableError
from vm.terminal import Terminal, TerminalError

BOX = "agent-sensor/debian"
# Vagrant asks nobody on the internet, keeps its own in a folder, and waits for slow guests.
ENVIRON = {
    "VAGRANT_DEFAULT_PROVIDER": "libvirt",
    "VAGRANT_CHECKPOINT_DISABLE": "1",
    "VAGRANT_BOX_UPDATE_CHECK_DISABLE": "1",
    "VAGRANT_NO_COLOR": "1",
    "VAGRANT_MAX_REBOOT_RETRY_DURATION": "900",
    "AGENT_SENSOR_BOX": BOX,
    "AGENT_SENSOR_DRIVER": "qemu",
}
INSIDE = "inside"


def main(words: list[str]) -> int:
    """Make the box and go; ``words`` are there for the second half, in the namespaces."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        match words:
            case []:
                return _outside()
            case [name, folder] if name == INSIDE:
                return _inside(Path(folder))
            case _:
                print(f"vagrant: {words}: there is nothing to choose", file=sys.stderr)
                return 2
    except (UnavailableError, DiskError, LibvirtError, TerminalError) as error:
        print(f"vagrant: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _outside() -> int:
    """Make the box with this machine's network, then start the rest without."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="vagrant-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # QEMU, who is not root, has its images in it
        began = time.monotonic()
        box.make(folder / "test.box", CACHE, folder)
        _say(f"{time.monotonic() - began:5.0f} s  a box of Debian's packages")
        command = [*libvirt.NAMESPACES, sys.executable, "-m", "vm.vagrant", INSIDE, str(folder)]
        with subprocess.Popen(command) as inside:
            try:
                return inside.wait()
            finally:
                inside.kill()


def _inside(folder: Path) -> int:
    """Walk, with what Vagrant and libvirt keep in the folder."""
    environ = os.environ | ENVIRON
    environ |= {
        "VAGRANT_HOME": str(folder / "home"),
        "VAGRANT_DOTFILE_PATH": str(folder / "dot"),
        "HOME": str(folder),
    }
    log = CACHE / "vagrant.log"
    log.write_text("")
    kept = folder / "libvirt"
    kept.mkdir()
    wrong: list[str] = []
    with libvirt.running(kept):
        subprocess.run(
            ["vagrant", "box", "add", "--no-tty", "--name", BOX, folder / "test.box"],
            check=True,
            env=environ,
            stdout=subprocess.DEVNULL,
        )
        with (
            closing(Terminal(log, CHECKOUT, environ)) as first,
            closing(Terminal(log, CHECKOUT, environ)) as second,
        ):
            for terminal in (first, second):
                terminal.prompts()
            began = time.monotonic()
            for step, missing in walk.walk(first, second):
                _say(f"{time.monotonic() - began:5.0f} s  {step.command}")
                began = time.monotonic()
                wrong += missing
                for text in missing:
                    _say(text)
        left = libvirt.machines()
    wrong += [f"{name} is there after vagrant destroy" for name in left]
    _say(f"{len(wrong)} things are not as they are to be: {log}" if wrong else "all steps did it")
    return 1 if wrong else 0


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
