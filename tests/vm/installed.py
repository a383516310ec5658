# SPDX-License-Identifier: Apache-2.0
"""The disk of a machine with Debian, the project's program in /opt/agent-sensor, and an agent.

What ``make install`` does is done in the folder that becomes the disk, but for its last
step, ``agent-sensor install``: that is for the machine, which has systemd running.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from vm.debian import disk, unpack
from vm.guest import CHECKOUT, HERE, GuestError

SUITE = "bookworm"
PREFIX = "/opt/agent-sensor"
PACKAGES = (
    *("systemd-sysv", "dbus", "udev", "kmod", "login", "passwd", "procps", "util-linux"),
    # What the README asks for, and what the walk-through looks and tries with.
    *("python3", "python3-venv", "python3-bpfcc", "libbpf1"),
    *("bpftool", "iproute2", "systemd-container", "gcc", "libc6-dev", "make"),
)
SIZE = "3G"
WHEELS = "usr/src/wheels"
# Timers that would run on a machine of five minutes' age, and a check of the disk.
MASKED = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer"),
    *("e2scrub_all.timer", "e2scrub_reap.service"),
)
AGENT = """\
[Unit]
Description=Commands from outside
DefaultDependencies=no
After=systemd-remount-fs.service
IgnoreOnIsolate=yes

[Service]
ExecStart=/bin/sh /opt/guest/agent.sh
KillMode=process
Restart=always

[Install]
WantedBy=sysinit.target
"""
# The code is translated: what takes a second elsewhere takes ten here, or a hundred where
# others use the machine's processors too.
PATIENCE = """\
[Service]
TimeoutStartSec=900s
TimeoutStopSec=300s
TimeoutAbortSec=20s
"""


def build(image: Path, cache: Path, *, version: str) -> None:
    """Write a disk with the program installed as of this checkout, but called ``version``.

    Beside it are the wheels of what it needs, and of the checkout as it is.

    Raises:
        UnavailableError: Debian's packages cannot be had.
        GuestError: The program could not be installed.

    """
    with tempfile.TemporaryDirectory(dir=cache, prefix=".system-") as scratch:
        root = Path(scratch) / "root"
        unpack(SUITE, PACKAGES, root, cache)
        _settle(root)
        _wheels(root / WHEELS, CHECKOUT)
        _wheels(root / WHEELS / "before", _called(version, Path(scratch) / "source"), alone=True)
        _install(root)
        disk(root, image, SIZE)


def _settle(root: Path) -> None:
    """Make a machine of a root file system."""
    (root / "etc/hostname").write_text("machine\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost machine\n")
    (root / "etc/fstab").write_text("/dev/vda / ext4 rw,noatime 0 1\n")
    (root / "opt/guest").mkdir()
    shutil.copy(HERE / "agent.sh", root / "opt/guest")
    (root / "etc/systemd/system/guest-agent.service").write_text(AGENT)
    patience = root / "etc/systemd/system/agent-sensor.service.d/emulated.conf"
    patience.parent.mkdir()
    patience.write_text(PATIENCE)
    _run("chroot", root, "systemctl", "enable", "guest-agent.service")
    _run("chroot", root, "systemctl", "mask", *MASKED)


def _called(version: str, into: Path) -> Path:
    """Copy the checkout; its copy has another version and, by a comment, other probes."""
    listed = subprocess.run(
        ["git", "-C", CHECKOUT, "ls-files", "-z", "--", ":!tests"],
        check=True, stdout=subprocess.PIPE,
    ).stdout.decode()  # fmt: skip
    for name in filter(None, listed.split("\0")):
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, into / name)
    project = into / "pyproject.toml"
    text, changed = re.subn(
        r'^version = ".*"$',
        f'version = "{version}"',
        project.read_text("utf-8"),
        flags=re.MULTILINE,
    )
    assert changed == 1
    project.write_text(text, "utf-8")
    with (into / "probes/read.h").open("a") as probe:
        probe.write(f"/* {version} */\n")
    return into


def _wheels(into: Path, source: Path, *, alone: bool = False) -> None:
    """Have pip put the wheel of ``source`` there, with those that it needs."""
    _run(
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", into),
        *(["--no-deps"] if alone else []),
        source,
    )


def _install(root: Path) -> None:
    """Do what `make install` does to get the program there, with the wheels for a registry."""
    wheels = f"/{WHEELS}"
    _run("chroot", root, "/usr/bin/python3", "-m", "venv", "--system-site-packages", PREFIX)
    _run(
        *("chroot", root, f"{PREFIX}/bin/pip", "install", "--quiet", "--no-index"),
        *(f"--find-links={wheels}", *_named(root / WHEELS / "before", root)),
    )
    (root / "usr/local/bin/agent-sensor").symlink_to(f"{PREFIX}/bin/agent-sensor")


def _named(folder: Path, root: Path) -> list[str]:
    return [f"/{wheel.relative_to(root)}" for wheel in folder.glob("agent_sensor-*.whl")]


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        words = " ".join(map(str, command))
        raise GuestError(f"{words} ended with {done.returncode}:\n{done.stdout[-2000:]}")
