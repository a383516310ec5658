# SPDX-License-Identifier: Apache-2.0
"""What the files of a host say of it; a question a function, below any ``root``.

A file that is not there or may not be read is an answer too, never an error.
"""

from __future__ import annotations

import gzip
import importlib.util
import os
import re
from pathlib import Path

from sensor.core.checkup import ASK_AS_ROOT, Answer, State

# include/uapi/linux/capability.h. CAP_SYS_ADMIN stands in for each of the others.
_CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_PERFMON": 38, "CAP_BPF": 39, "CAP_SYS_ADMIN": 21}
_SYS_ADMIN = "CAP_SYS_ADMIN"

# Of the initial user namespace: all ids are themselves (user_namespaces(7)).
_ALL_IDS = ["0", "0", "4294967295"]


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "backslashreplace").strip()
    except OSError:
        return None


def kernel() -> tuple[str, str]:
    """Give the running kernel's release and its machine."""
    names = os.uname()
    return names.release, names.machine


def rights(root: Path) -> Answer:
    """Ask whether this process may attach probes; not being root is no lack of the host."""
    status = _read(root / "proc/self/status") or ""
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    held = int(fields.get("CapEff", "0"), 16)
    lacking = [name for name, bit in _CAPABILITIES.items() if not held >> bit & 1]
    if _SYS_ADMIN in lacking:
        detail = f"lacks {', '.join(lacking)}"
        if fields.get("Uid", "").split()[1:2] == ["0"]:
            return Answer(State.NO, f"root, but {detail}")
        return Answer(State.UNKNOWN, f"{ASK_AS_ROOT.detail} ({detail})", ASK_AS_ROOT.remedy)
    if (_read(root / "proc/self/uid_map") or "").split() != _ALL_IDS:
        return Answer(State.NO, "root of a user namespace, which is not the host's root")
    return Answer(State.YES)


def bcc() -> Answer:
    """Ask whether this interpreter finds BCC, without importing its 60 MB."""
    found = importlib.util.find_spec("bcc")
    for folder in (found and found.submodule_search_locations) or ():
        # The bcc of PyPI has no such file.
        if Path(folder, "libbcc.py").exists():
            return Answer(State.YES, folder)
    return Answer(State.NO)


def hierarchy(root: Path) -> str:
    """Tell whether cgroup2 is the only hierarchy: ``unified``, or ``hybrid``."""
    mounts = (_read(root / "proc/self/mounts") or "").split("\n")
    kinds = {field for line in mounts for field in line.split(" ")[2:3]}
    return "hybrid" if "cgroup" in kinds else "unified"


def active_lsms(root: Path) -> list[str] | None:
    """List the active security modules; None where securityfs is not mounted."""
    text = _read(root / "sys/kernel/security/lsm")
    return None if text is None else text.split(",")


def lockdown(root: Path) -> str | None:
    """Tell the kernel's lockdown mode; None where there is no telling."""
    chosen = re.search(r"\[(\w+)\]", _read(root / "sys/kernel/security/lockdown") or "")
    return chosen[1] if chosen else None


def loginuid(root: Path) -> Answer:
    """Ask whether the kernel remembers who logged in."""
    return Answer(State.YES if (root / "proc/self/loginuid").exists() else State.NO)


def kprobe(root: Path) -> Answer:
    """Ask whether perf offers kprobes, by which BPF programs are attached to them."""
    there = (root / "sys/bus/event_source/devices/kprobe").exists()
    return Answer(State.YES if there else State.NO)


def jit(root: Path) -> Answer:
    """Ask whether BPF programs become machine code; the switch is the initial network's only."""
    match _read(root / "proc/sys/net/core/bpf_jit_enable"):
        case None if _config(root, "BPF_JIT_ALWAYS_ON"):
            return Answer(State.YES)
        case None:
            return Answer(State.UNKNOWN, "net.core.bpf_jit_enable is not shown here")
        case "0":
            return Answer(State.NO)
        case _:
            return Answer(State.YES)


def root_only_bpf(root: Path) -> Answer:
    """Ask whether BPF is closed to users without rights."""
    match _read(root / "proc/sys/kernel/unprivileged_bpf_disabled"):
        case None:
            return Answer(State.UNKNOWN, "kernel.unprivileged_bpf_disabled is not shown here")
        case "0":
            return Answer(State.NO)
        case _:
            return Answer(State.YES)


def sock_destroy(root: Path) -> Answer:
    """Ask the kernel's configuration whether sockets can be destroyed."""
    return _configured(root, "INET_DIAG_DESTROY")


def udp_diag(root: Path) -> Answer:
    """Ask the kernel's configuration whether it lists datagram sockets, which may be a module."""
    return _configured(root, "INET_UDP_DIAG")


def io_uring(root: Path) -> Answer:
    """Ask whether programs can use io_uring; kernels before the switch say so by configuration."""
    match _read(root / "proc/sys/kernel/io_uring_disabled"):
        case None:
            return _configured(root, "IO_URING")
        case "2":
            return Answer(State.NO, "kernel.io_uring_disabled=2")
        case _:
            return Answer(State.YES)


def mptcp(root: Path) -> Answer:
    """Ask whether this network namespace speaks multipath TCP."""
    return Answer(State.YES if _read(root / "proc/sys/net/mptcp/enabled") == "1" else State.NO)


def _configured(root: Path, name: str) -> Answer:
    match _config(root, name):
        case None:
            release, _ = kernel()
            return Answer(
                State.UNKNOWN,
                "the kernel's configuration is not to be had",
                f"look for CONFIG_{name}=y in that of {release}",
            )
        case there:
            return Answer(State.YES if there else State.NO)


def _config(root: Path, name: str) -> bool | None:
    """Tell whether an option is built in or a module; None without any configuration."""
    release, _ = kernel()
    for place in ("proc/config.gz", f"boot/config-{release}", f"lib/modules/{release}/config"):
        path = root / place
        try:
            stored = path.read_bytes()
            text = gzip.decompress(stored) if path.suffix == ".gz" else stored
        except (OSError, EOFError):
            continue
        return re.search(rf"^CONFIG_{name}=[ym]$".encode(), text, re.MULTILINE) is not None
    return None
