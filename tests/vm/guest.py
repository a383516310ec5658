# SPDX-License-Identifier: Apache-2.0
"""A guest: a kernel booted in QEMU on this machine's own root, to run one task and end.

QEMU translates the code (TCG): that runs everywhere, where KVM may exist and
yet refuse an ordinary kernel. The guest reads the machine's root through 9p and
writes into its own memory, so it has the same Python, checkout and compiler.
It has no network, and ends when this process does.
"""

from __future__ import annotations

import asyncio
import functools
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.guest import IN_GUEST

from vm.image import initramfs

if TYPE_CHECKING:
    from vm.kernels import Kernel

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
MEMORY = "2G"
# The plainest there is: a kernel copies by string instructions where a processor says that they
# are fast, and translated ones are slow. The verifier takes half the time, the whole a fifth less.
PROCESSOR = "qemu64"
# arch/x86/include/asm/cpufeatures.h, X86_FEATURE_REP_GOOD: the kernel finds this one by itself.
UNWANTED_FEATURE = 3 * 32 + 16
# Two guests boot in 3 s on an idle machine and were seen to need 16 s on a busy one.
BOOT_S = 300

LSM = "lockdown,yama,apparmor,bpf"
LSM_WITHOUT_BPF = "lockdown,yama,apparmor"
# A guest whose clock gains more than this on ours makes every deadline in it a lie.
FAST_CLOCK = 1.2


class GuestError(Exception):
    """A guest did not come up, died, or was not done in time."""


@dataclass(frozen=True, slots=True)
class Guest:
    """What to boot, and the shell script ``task`` to run in it.

    The folder ``results`` is shared with it. What it says goes to ``console``,
    or else to the standard output.
    """

    name: str
    kernel: Kernel
    cache: Path
    lsm: str
    task: str
    results: Path
    within_s: int
    console: Path | None = None

    async def run(self) -> int:
        """Boot, run the task, and give its exit status.

        Raises:
            GuestError: There is no status, and why.

        """
        (self.results / "task").write_text(self.task)
        started = time.monotonic()
        # In memory: no file of it can stay behind.
        with self.kernel.used(), os.fdopen(os.memfd_create("initramfs"), "wb") as initrd:
            initrd.write(self._initramfs())
            initrd.flush()
            with self.console.open("wb") if self.console else nullcontext() as console:
                qemu = await asyncio.create_subprocess_exec(
                    *self._command(f"/proc/self/fd/{initrd.fileno()}"),
                    pass_fds=(initrd.fileno(),),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=console,
                    stderr=asyncio.subprocess.STDOUT,
                )
                try:
                    await self._watch(qemu)
                finally:
                    with suppress(ProcessLookupError):
                        qemu.kill()
                    await qemu.wait()
        seconds = time.monotonic() - started
        uptime = self._said("uptime").split()[0]
        if float(uptime) > seconds * FAST_CLOCK:
            raise GuestError(f"{self.name}: its clock made {uptime} s of {seconds:.0f}")
        return int(self._said("status"))

    async def _watch(self, qemu: asyncio.subprocess.Process) -> None:
        """Wait for the guest to end; one that is not up soon is not waited for."""
        ended = asyncio.create_task(qemu.wait())
        done, _ = await asyncio.wait([ended], timeout=BOOT_S)
        if not done and not (self.results / "up").exists():
            raise GuestError(f"{self.name}: not up within {BOOT_S} s")
        done, _ = await asyncio.wait([ended], timeout=self.within_s)
        if not done:
            raise GuestError(f"{self.name}: not done within {self.within_s} s")

    def _said(self, name: str) -> str:
        """Read what inside.sh has left at the end of the task."""
        try:
            return (self.results / name).read_text()
        except OSError as error:
            raise GuestError(f"{self.name}: the guest ended before its task did") from error

    def _initramfs(self) -> bytes:
        return initramfs(
            init=HERE / "init.sh",
            busybox=busybox(),
            modules=self.kernel.modules,
            settings={
                "checkout": str(CHECKOUT),
                "cache": str(self.cache),
                "release": self.kernel.release,
                "now": str(int(time.time())),
            },
        )

    def _command(self, initrd: str) -> list[str]:
        shares = {"machine": Path("/"), "modules": self.kernel.modules, "results": self.results}
        return [
            *("setpriv", "--pdeathsig", "KILL"),
            *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot"),
            *("-M", "microvm", "-accel", "tcg", "-cpu", PROCESSOR, "-smp", "1", "-m", MEMORY),
            *("-display", "none", "-serial", "stdio"),
            *("-kernel", str(self.kernel.image), "-initrd", initrd),
            *("-append", kernel_arguments(self.lsm)),
            *(word for tag, path in shares.items() for word in share(tag, path)),
        ]


def busybox() -> Path:
    """Find the program that a guest has before it has its root.

    Raises:
        GuestError: It is not installed.

    """
    found = shutil.which("busybox")
    if not found:
        raise GuestError("no busybox on this machine: install busybox-static")
    return Path(found)


def kernel_arguments(lsm: str) -> str:
    """Give the kernel's command line, with these active security modules."""
    return (
        "console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off no_timer_check "
        # Code at one place for all processes is translated once for all of them.
        "norandmaps "
        # Who joins a cgroup waits for a grace period, which is 15 ms on one idle processor.
        "rcupdate.rcu_expedited=1 "
        f"tsc_early_khz={_counter_khz()} tsc=reliable clearcpuid={UNWANTED_FEATURE} "
        f"lsm={lsm} {IN_GUEST} "
    )


@functools.cache
def _counter_khz() -> int:
    """Measure how fast the time stamp counter runs, which a guest has from this machine."""
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/tsc"
        subprocess.run(["cc", "-O2", "-o", program, HERE / "tsc.c"], check=True)
        return int(subprocess.run([program], check=True, stdout=subprocess.PIPE).stdout)


def share(tag: str, path: Path) -> list[str]:
    """Give QEMU's options for a folder by 9p, which only ``results`` is written to by."""
    access = "" if tag == "results" else ",readonly=on"
    store = f"local,id={tag},path={path},security_model=none,multidevs=remap{access}"
    return ["-fsdev", store, "-device", f"virtio-9p-device,fsdev={tag},mount_tag={tag}"]
