# SPDX-License-Identifier: Apache-2.0
"""A place of one's own to try things in: a cgroup, a network, a folder that no disk knows.

The network and the folder are in namespaces that end with the process which made
them, however it ends; the cgroup and the folder's mount point are removed by it,
or by the next one where it was killed.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import socket
import struct
import tempfile
import time
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.proof.place import PREFIX
from sensor.core.proof.technique import WAITS_S
from sensor.errors import NotPermittedError, SensorError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor.core.facts import Address

_REMOVAL_S = 10.0
_AGAIN_S = 0.01

# include/uapi/linux/sched.h, mount.h, sockios.h, if.h
_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_MS_REC, _MS_PRIVATE, _MS_NOSUID, _MS_NODEV = 0x4000, 0x40000, 2, 4
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8913, 0x8914, 0x8916, 0x891C
_IFF_UP = 1
_LOOPBACK = b"lo"
_NETMASK, _V6_BITS, _LO_INDEX = "255.255.255.255", 128, 1
# Documentation/networking/ip-sysctl.rst: both sides, data without a cookie.
_FAST_OPEN = (Path("/proc/sys/net/ipv4/tcp_fastopen"), str(0x1 | 0x2 | 0x4 | 0x200))

_WAITS = f"import time\ntime.sleep({WAITS_S})\n"
_MARKS = "import os\nopen(os.environ['MARK'], 'w').close()\n"
# As a module it is what policy blocks; what pip and uv write calls it by its function.
_MODULE = f"""\
def main():
    import time
    time.sleep({WAITS_S})
    mark()
def mark():
    import os
    open(os.environ['MARK'], 'w').close()
if __name__ == "__main__":
    mark()
"""
_CONSOLE = """\
#!/usr/bin/env python3
import sys
from {module} import main
if __name__ == "__main__":
    sys.exit(main())
"""


def isolate() -> None:
    """Move this process to a network and mounts of its own. Raises NotPermittedError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET):
        raise _refused("namespaces of one's own")
    private = ctypes.c_ulong(_MS_REC | _MS_PRIVATE)
    if libc.mount(None, b"/", None, private, None):
        raise _refused("private mounts")


def _refused(what: str) -> SensorError:
    number = ctypes.get_errno()
    if number == 1:  # EPERM
        return NotPermittedError(f"{what}: not permitted; run it as root (CAP_SYS_ADMIN)")
    return UnsupportedError(f"{what}: {os.strerror(number)}; run it on a host that allows them")


class Folder:
    """A folder in memory that only this process and its children see; ``isolate`` comes before."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        flags = ctypes.c_ulong(_MS_NOSUID | _MS_NODEV)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"tmpfs", os.fsencode(self.path), b"tmpfs", flags, b"mode=0755,size=64m"):
            problem = _refused("a folder in memory")
            self.path.rmdir()
            raise problem

    def hide(self, path: Path, text: str) -> None:
        """Have a file of the host read otherwise here, and nowhere else."""
        stand_in = self.path / path.name
        stand_in.write_text(text, "utf-8")
        bind = ctypes.c_ulong(0x1000)  # MS_BIND
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(os.fsencode(stand_in), os.fsencode(path), None, bind, None):
            raise _refused(str(path))

    def remove(self) -> None:
        """Take mount and mount point away."""
        lazily = 2  # MNT_DETACH
        ctypes.CDLL(None, use_errno=True).umount2(os.fsencode(self.path), lazily)
        with suppress(OSError):
            self.path.rmdir()


class Cgroup:
    """A cgroup below ``scope``. Raises SensorError where there can be none."""

    def __init__(self, scope: Path) -> None:
        self.path = scope / f"{PREFIX}{os.getpid()}"
        try:
            self.path.mkdir()
        except OSError as problem:
            raise SensorError(
                f"{self.path}: {problem.strerror}; make room for a cgroup there"
            ) from problem

    def join(self) -> None:
        """Move the calling process there."""
        (self.path / "cgroup.procs").write_text(str(os.getpid()), "ascii")

    def clear(self) -> None:
        """End all that is in it."""
        deadline = time.monotonic() + _REMOVAL_S
        while (pids := _pids(self.path)) and time.monotonic() < deadline:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_AGAIN_S)

    def remove(self) -> None:
        """End all that is in it, and take it away. Raises SensorError where that fails."""
        self.clear()
        deadline = time.monotonic() + _REMOVAL_S
        while True:
            try:
                self.path.rmdir()
            except FileNotFoundError:
                return
            except OSError as problem:
                if time.monotonic() > deadline:
                    raise SensorError(
                        f"{self.path}: {problem.strerror}; remove it when it is empty"
                    ) from problem
                time.sleep(_AGAIN_S)
            else:
                return


def tidy(scope: Path) -> None:
    """Take away what others left who were killed."""
    for left in [*scope.glob(f"{PREFIX}*"), *Path(tempfile.gettempdir()).glob(f"{PREFIX}*")]:
        found = re.fullmatch(rf"{PREFIX}([0-9]+)(-.*)?", left.name)
        if found and not Path(f"/proc/{found[1]}").exists() and not _pids(left):
            with suppress(OSError):
                left.rmdir()


def _pids(cgroup: Path) -> list[int]:
    try:
        return [int(pid) for pid in (cgroup / "cgroup.procs").read_text("ascii").split()]
    except OSError:
        return []


def furnish(addresses: Iterable[Address]) -> None:
    """Give this process's own network a loopback that has these addresses.

    Without IPv6 those of IPv6 are left out.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        flags = ioctl(one, _SIOCGIFFLAGS, struct.pack("=16sH14x", _LOOPBACK, 0))
        up = struct.unpack("=16sH14x", flags)[1] | _IFF_UP
        ioctl(one, _SIOCSIFFLAGS, struct.pack("=16sH14x", _LOOPBACK, up))
        for number, address in enumerate(addresses):
            if address.version == 4:  # noqa: PLR2004
                name = b"lo:%d" % number
                ioctl(one, _SIOCSIFADDR, _request(name, str(address)))
                ioctl(one, _SIOCSIFNETMASK, _request(name, _NETMASK))
            else:
                _add_ipv6(address)
    with suppress(OSError):  # where /proc/sys is read-only, there is no fast open
        _FAST_OPEN[0].write_text(_FAST_OPEN[1], "ascii")


def _request(name: bytes, address: str) -> bytes:
    """Spell struct ifreq with a struct sockaddr_in."""
    there = socket.inet_aton(address)
    return struct.pack("=16sHH4s8x8x", name, socket.AF_INET, 0, there)


def _add_ipv6(address: Address) -> None:
    with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
        request = struct.pack("=16sIi", address.packed, _V6_BITS, _LO_INDEX)  # struct in6_ifreq
        ioctl(one, _SIOCSIFADDR, request)


def lay_out(folder: Path, *, name: str, pair: str, module: str, program: Path) -> None:
    """Fill a folder with a harmless program under the names that techniques need."""
    for part in ("bin", "copy", "moved", "links", "hard", "other", "scripts", "python", "modules"):
        (folder / part).mkdir(parents=True)
    (folder / pair).mkdir(parents=True)
    for copy in (f"bin/{name}", f"copy/{name}", "moved/innocent", "other/innocent",
                 f"{pair}/innocent"):  # fmt: skip
        shutil.copyfile(program, folder / copy)
    (folder / "moved/innocent").rename(folder / "moved" / name)
    (folder / "links" / name).symlink_to("../other/innocent")
    (folder / "links/innocent").symlink_to(f"../bin/{name}")
    (folder / "hard" / name).hardlink_to(folder / "other/innocent")
    (folder / "hard/innocent").hardlink_to(folder / "bin" / name)
    (folder / "scripts" / name).write_text('#!/bin/sh\n: >"$MARK"\n', "utf-8")
    (folder / "python" / name).write_text(f"#!/usr/bin/env python3\n{_MARKS}", "utf-8")
    (folder / "modules" / f"{module}.py").write_text(_MODULE, "utf-8")
    (folder / "other/console").write_text(_CONSOLE.format(module=module), "utf-8")
    (folder / pair / "script").write_text(_WAITS + _MARKS, "utf-8")
    (folder / "links/script").symlink_to(f"../{pair}/script")
    _make_executable(folder)


def lay_texts(
    folder: Path, *, program: Path, contents: bytes, scripts: bytes, size_bytes: int
) -> None:
    """Lay a program of a size and a script that hold what a tool's hold; nothing else says it."""
    large = folder / "other/large"
    large.write_bytes(program.read_bytes() + contents)
    os.truncate(large, size_bytes)  # the rest is a hole
    text = f"{_WAITS}{_MARKS}# ".encode()
    (folder / "other/script").write_bytes(text + scripts)
    _make_executable(folder)


def _make_executable(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o755)
