# SPDX-License-Identifier: Apache-2.0
"""A libvirt of one's own: in namespaces of its own, without systemd, and gone with its process.

Its bridge, its leases and its firewall rules are in a network that has no way out; its
images, machines and settings are in a folder of the caller's. So it neither needs
nor changes what is installed on this machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# The first process of the namespaces ends with its parent, and all others with it. It is a shell
# that waits, which reaps: libvirtd waits half a minute for each QEMU that nobody has reaped.
NAMESPACES = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"),
    *("/bin/sh", "-c", '"$@"; exit $?', "sh"),
)
# What libvirt keeps, and what it reads, which it also writes to.
STATE = Path("/var/lib/libvirt")
SETTINGS = Path("/etc/libvirt")
IN_MEMORY = ("/run", "/var/log/libvirt", "/var/cache/libvirt")
# There is no virtlogd, and no module that would confine a machine to the usual folders.
QEMU_SETTINGS = '\nstdio_handler = "file"\nsecurity_driver = "none"\n'
UP_S = 60


class LibvirtError(Exception):
    """libvirtd did not come up."""


@contextmanager
def running(folder: Path) -> Iterator[None]:
    """Run libvirtd; to be called in ``NAMESPACES``. The empty ``folder`` has what it keeps.

    Raises:
        LibvirtError: It does not answer.

    """
    _mount(folder)
    log = (folder / "libvirtd.log").open("wb")
    with log, subprocess.Popen(["/usr/sbin/libvirtd"], stdout=log, stderr=log) as daemon:
        try:
            _wait(daemon, folder / "libvirtd.log")
            yield
        finally:
            _end_machines()
            daemon.terminate()


def _mount(folder: Path) -> None:
    kept, read = folder / "state", folder / "settings"
    kept.mkdir()
    shutil.copytree(SETTINGS, read)
    with (read / "qemu.conf").open("a") as settings:
        settings.write(QEMU_SETTINGS)
    # This network's interfaces; and no cgroups, so that libvirt makes none.
    _run("umount", "--lazy", "/sys")
    _run("mount", "-t", "sysfs", "sysfs", "/sys")
    for name in IN_MEMORY:
        _run("mount", "-t", "tmpfs", "tmpfs", name)
    _run("mount", "--bind", str(kept), str(STATE))
    _run("mount", "--bind", str(read), str(SETTINGS))
    Path("/run/lock").mkdir()
    _run("ip", "link", "set", "lo", "up")


def _wait(daemon: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + UP_S
    while _virsh("version").returncode:
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise LibvirtError(f"libvirtd does not answer: {log.read_text().strip()}")
        time.sleep(0.2)


def machines() -> list[str]:
    """Name the machines that are there, running or not."""
    return _virsh("list", "--all", "--name").stdout.split()


def _end_machines() -> None:
    for name in machines():
        print(f"libvirt: {name} is still there; ends it", file=sys.stderr)
        _virsh("destroy", name)


def _virsh(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["virsh", "--connect", "qemu:///system", *words],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"LC_ALL": "C"},
    )


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
