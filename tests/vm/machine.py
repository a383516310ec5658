# SPDX-License-Identifier: Apache-2.0
"""A machine of its own: a guest with a disk and systemd, which takes commands and reboots.

Other than in ``guest``, nothing of this machine's root is in it. It writes into
a layer over its disk, so that the next one starts from the same. Commands go
through a serial port and a shared folder; it has no network.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from vm.guest import HERE, LSM, PROCESSOR, GuestError, busybox, kernel_arguments, share
from vm.image import DISK_MODULES, initramfs

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from vm.kernels import Kernel

MEMORY = "2G"
# An idle machine needs 15 s for a boot with systemd, and 5 to go down.
BOOT_S = 300
DOWN_S = 180
# What a command may take beyond its own time, which ends it in the guest.
GRACE_S = 30


@dataclass(frozen=True, slots=True)
class Done:
    """What a command in the machine came to: its exit status, and all that it said."""

    status: int
    said: str


@dataclass(slots=True)
class Machine:
    """Boots when it is entered, and is gone when it is left.

    ``disk`` is a raw image, which stays as it is; ``folder`` is an empty one, for the layer over
    it, the console and what commands say. ``arguments`` goes to the kernel's command line,
    ``processor`` is one of QEMU's models.
    """

    kernel: Kernel
    disk: Path
    folder: Path
    arguments: str = ""
    lsm: str = LSM
    processor: str = PROCESSOR
    _qemu: subprocess.Popen[bytes] | None = None
    _scripts: int = 0
    _heard: bytes = b""
    _boots: list[float] = field(default_factory=list)

    def __enter__(self) -> Self:
        (self.folder / "shared").mkdir()
        layer = self.folder / "layer.qcow2"
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", "qcow2", "-b", self.disk, "-F", "raw", layer],
            check=True,
        )
        try:
            self._boot()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def boot_s(self) -> float:
        """How long the last boot took, to where commands are taken."""
        return self._boots[-1]

    @property
    def shared(self) -> Path:
        """The folder that the machine has as /mnt/guest."""
        return self.folder / "shared"

    def run(self, script: str, *, within_s: float = 120) -> Done:
        """Run the shell script as root.

        Raises:
            GuestError: The machine went down, or does not answer.

        """
        self._scripts += 1
        name = f"{self._scripts:04}"
        (self.shared / name).write_text(script)
        assert self._qemu
        assert self._qemu.stdin
        self._qemu.stdin.write(f"{name} {within_s}\n".encode())
        self._qemu.stdin.flush()
        answer = self._line(within_s + GRACE_S, f"no answer to: {script}").split()
        if answer[0] != name:
            raise GuestError(f"{' '.join(answer)} is no answer to {name}: {script}")
        said = (self.shared / f"{name}.out").read_bytes().decode("utf-8", "backslashreplace")
        return Done(int(answer[1]), said)

    def check(self, script: str, *, within_s: float = 120) -> str:
        """Run the script, which has to succeed; give what it said."""
        done = self.run(script, within_s=within_s)
        assert done.status == 0, f"{script}\nended with {done.status}:\n{done.said}"
        return done.said

    def reboot(self, arguments: str | None = None) -> None:
        """Have it go down in good order and boot again, with other arguments if there are any."""
        self.run("systemctl --no-block reboot")
        assert self._qemu
        try:
            self._qemu.wait(DOWN_S)
        except subprocess.TimeoutExpired as error:
            raise GuestError(f"not down within {DOWN_S} s; {self._last_words()}") from error
        if arguments is not None:
            self.arguments = arguments
        self._boot()

    def kill(self) -> None:
        """Take its power away."""
        if self._qemu:
            with suppress(ProcessLookupError):
                self._qemu.kill()
            self._qemu.wait()

    def _boot(self) -> None:
        started = time.monotonic()
        with self.kernel.used(), os.fdopen(os.memfd_create("initramfs"), "wb") as initrd:
            initrd.write(self._initramfs())
            initrd.flush()
            self._heard = b""
            self._qemu = subprocess.Popen(
                self._command(f"/proc/self/fd/{initrd.fileno()}"),
                pass_fds=(initrd.fileno(),),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=(self.folder / "qemu.err").open("ab"),
            )
            word = self._line(BOOT_S, "not up")
        if word != "up":
            raise GuestError(f"said {word!r} instead of up")
        self._boots.append(time.monotonic() - started)

    def _line(self, within_s: float, otherwise: str) -> str:
        """Wait for a line from the serial port."""
        assert self._qemu
        assert self._qemu.stdout
        deadline = time.monotonic() + within_s
        port = self._qemu.stdout.fileno()
        with selectors.DefaultSelector() as waiting:
            waiting.register(port, selectors.EVENT_READ)
            while b"\n" not in self._heard:
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not waiting.select(left_s):
                    raise GuestError(f"{otherwise}: within {within_s} s; {self._last_words()}")
                more = os.read(port, 4096)
                if not more:
                    raise GuestError(f"{otherwise}: it went down; {self._last_words()}")
                self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode("utf-8", "backslashreplace").strip()

    def _last_words(self) -> str:
        console = (self.folder / "console.log").read_bytes()[-2000:]
        errors = (self.folder / "qemu.err").read_bytes()[-1000:]
        return "its last words:\n" + (console + errors).decode("utf-8", "backslashreplace")

    def _initramfs(self) -> bytes:
        return initramfs(
            init=HERE / "disk.sh",
            busybox=busybox(),
            modules=self.kernel.modules,
            settings={"release": self.kernel.release, "now": str(int(time.time()))},
            wanted=DISK_MODULES,
        )

    def _command(self, initrd: str) -> list[str]:
        shares = {"modules": self.kernel.modules, "results": self.shared}
        console = f"file,id=console,append=on,path={self.folder}/console.log"
        disk = f"if=none,id=disk,format=qcow2,cache=unsafe,file={self.folder}/layer.qcow2"
        return [
            *("setpriv", "--pdeathsig", "KILL"),
            *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot"),
            *("-M", "microvm", "-accel", "tcg", "-cpu", self.processor, "-smp", "1", "-m", MEMORY),
            *("-display", "none", "-chardev", console, "-serial", "chardev:console"),
            *("-chardev", "stdio,id=commands,signal=off"),
            *("-device", "isa-serial,index=1,chardev=commands"),
            *("-drive", disk, "-device", "virtio-blk-device,drive=disk"),
            *("-kernel", str(self.kernel.image), "-initrd", initrd),
            *("-append", f"{kernel_arguments(self.lsm)} {self.arguments}"),
            *(word for tag, path in shares.items() for word in share(tag, path)),
        ]
