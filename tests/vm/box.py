# SPDX-License-Identifier: Apache-2.0
"""A Vagrant box of Debian's packages, made on the spot: what a public box is to a user.

Its guest has no network but the one to this machine, so it has what `make install` asks
apt for already, and what it asks pip for in a folder. Its kernel does not ask BPF as
a security module, as that of Debian 11: there is something to do for the Vagrantfile.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from typing import Any

from vm import bootable, debian
from vm.guest import CHECKOUT, LSM_WITHOUT_BPF
from vm.mirror import UnavailableError

SUITE = "bookworm"
PYTHON = "3.11"
PACKAGES = (
    *("systemd-sysv", "dbus", "udev", "iproute2", "kmod", "ca-certificates"),
    *("linux-image-amd64", "initramfs-tools", "grub-pc-bin", "grub2-common"),
    *("openssh-server", "sudo", "rsync", "make"),
    *("python3", "python3-venv", "python3-bpfcc", "libbpf1"),  # RUN_PACKAGES of the Makefile
)
DISK_MIB = 3072
WHEELS = "opt/wheels"
# Known to everybody: each Vagrant has both halves, and logs in with it the first time.
GEMS = Path("/usr/share/rubygems-integration/all/gems")
KEY = "vagrant-[0-9]*/keys/vagrant.pub"
KERNEL_WORDS = f"quiet console=ttyS0 net.ifnames=0 lsm={LSM_WITHOUT_BPF}"

# A box may bring settings of its own. This guest lives for minutes, and nobody else can reach it.
SETTINGS = """\
Vagrant.configure("2") do |config|
  config.ssh.insert_key = false
  config.vm.provider(:libvirt) { |libvirt| libvirt.disk_driver cache: "unsafe" }
end
"""

FILES = {
    "etc/hostname": "build-host\n",
    "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 build-host\n",
    "etc/fstab": f"LABEL={bootable.LABEL} / ext4 noatime 0 1\n",
    "etc/systemd/network/eth.network": (
        "[Match]\nName=eth*\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    ),
    "etc/sudoers.d/vagrant": "vagrant ALL=(ALL) NOPASSWD: ALL\n",
    "etc/ssh/sshd_config.d/vagrant.conf": "UseDNS no\n",
    "etc/pip.conf": f"[global]\nno-index = true\nfind-links = /{WHEELS}\n",
    "etc/default/grub": (
        f'GRUB_TIMEOUT=0\nGRUB_TERMINAL=console\nGRUB_CMDLINE_LINUX="{KERNEL_WORDS}"\n'
    ),
    # An emulated guest on a busy machine takes minutes where a host takes seconds.
    "etc/systemd/system/agent-sensor.service.d/slow.conf": (
        "[Service]\nTimeoutStartSec=900\nWatchdogSec=300\n"
    ),
    "boot/grub/grub.cfg": (
        f"set timeout=0\nmenuentry Debian {{\n  linux /vmlinuz root=LABEL={bootable.LABEL} ro"
        f" {KERNEL_WORDS}\n  initrd /initrd.img\n}}\n"
    ),
}
USER = ("useradd", "--create-home", "--shell", "/bin/bash", "vagrant")
COMMANDS = (
    ("chown", "-R", "vagrant:", "/home/vagrant"),
    ("systemctl", "enable", "--quiet", "systemd-networkd"),
    # Nothing here is to be updated, and a clock that nobody sets is right enough.
    ("systemctl", "mask", "--quiet", "apt-daily.timer", "apt-daily-upgrade.timer"),
    ("systemctl", "mask", "--quiet", "systemd-timesyncd", "systemd-networkd-wait-online"),
)


def make(box: Path, cache: Path, scratch: Path) -> None:
    """Write a box for libvirt into the file ``box``; the folder ``scratch`` is for what it takes.

    Raises:
        UnavailableError: A mirror or an index of packages does not have what is in it.
        DiskError: The disk could not be written.

    """
    root = scratch / "root"
    debian.unpack(SUITE, PACKAGES, root, cache)
    subprocess.run(["chroot", root, *USER], check=True)
    fill(root, public_key=next(GEMS.glob(KEY)).read_text())
    _download(root / WHEELS)
    for command in COMMANDS:
        subprocess.run(["chroot", root, *command], check=True)
    raw, image = scratch / "disk.raw", scratch / "box.img"
    bootable.write(root, raw, DISK_MIB)
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", raw, image], check=True)
    raw.unlink()
    metadata = scratch / "metadata.json"
    metadata.write_text(
        json.dumps({"provider": "libvirt", "format": "qcow2", "virtual_size": DISK_MIB // 1024 + 1})
    )
    settings = scratch / "Vagrantfile"
    settings.write_text(SETTINGS)
    with tarfile.open(box, "w") as packed:
        for file in (metadata, settings, image):
            packed.add(file, file.name)
    image.unlink()


def fill(root: Path, public_key: str) -> None:
    """Write the files that make a Vagrant box of a Debian."""
    keys = "home/vagrant/.ssh/authorized_keys"
    for name, text in {**FILES, keys: public_key}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    # systemd makes another one in each guest.
    (root / "etc/machine-id").write_text("")


def wanted(project: dict[str, Any]) -> list[str]:
    """List what pip needs to install the project of this pyproject.toml."""
    return [*project["build-system"]["requires"], *project["project"]["dependencies"]]


def _download(into: Path) -> None:
    """Put into the folder what pip installs with the sensor, for the guest's Python."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--dest", into),
            *("--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}"),
            *wanted(project),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise UnavailableError(f"pip download: {done.stderr.strip().splitlines()[-1:]}")
