# SPDX-License-Identifier: Apache-2.0
"""What the files of a host say, told of hosts made of files."""

from __future__ import annotations

import gzip
import importlib
import os
import sys
from typing import TYPE_CHECKING

import pytest

from sensor.core.checkup import State
from sensor.edge import features

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sensor.core.checkup import Answer

RELEASE = os.uname().release
HOST = "0 0 4294967295"
ALL_RIGHTS = "000001ffffffffff"


def host(root: Path, **files: str | bytes) -> Path:
    """Make a host: a file's path is given with ``__`` for ``/``."""
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def process(*, uid: int, held: str) -> str:
    """Write /proc/self/status of a process with these effective capabilities."""
    return f"Name:\tany\nUid:\t1\t{uid}\t{uid}\t{uid}\nCapPrm:\t{held}\nCapEff:\t{held}\n"


def test_root_of_the_host_has_the_rights(tmp_path: Path) -> None:
    """All capabilities in the initial user namespace."""
    status = process(uid=0, held=ALL_RIGHTS)
    answer = features.rights(host(tmp_path, proc__self__status=status, proc__self__uid_map=HOST))
    assert answer.state is State.YES


def test_cap_sys_admin_stands_in_for_the_others(tmp_path: Path) -> None:
    """The kernel takes it wherever it asks for CAP_BPF, CAP_PERFMON or CAP_NET_ADMIN for BPF."""
    status = process(uid=1000, held=f"{1 << 21:016x}")
    answer = features.rights(host(tmp_path, proc__self__status=status, proc__self__uid_map=HOST))
    assert answer.state is State.YES


def test_a_user_without_rights_says_nothing_of_the_host(tmp_path: Path) -> None:
    """The host may be a good one: it is asked again as root."""
    status = process(uid=1000, held=f"{1 << 39:016x}")
    answer = features.rights(host(tmp_path, proc__self__status=status, proc__self__uid_map=HOST))
    assert answer.state is State.UNKNOWN
    assert answer.detail == "needs root (lacks CAP_NET_ADMIN, CAP_PERFMON, CAP_SYS_ADMIN)"
    assert answer.remedy == "run sudo agent-sensor doctor"


def test_root_without_its_capabilities_cannot_be_helped_by_sudo(tmp_path: Path) -> None:
    """A container has such a root."""
    status = process(uid=0, held="00000000a80425fb")
    answer = features.rights(host(tmp_path, proc__self__status=status, proc__self__uid_map=HOST))
    assert answer.state is State.NO
    assert answer.detail == (
        "root, but lacks CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF, CAP_SYS_ADMIN"
    )  # fmt: skip


def test_root_of_a_user_namespace_is_not_the_hosts(tmp_path: Path) -> None:
    """It has all capabilities, and none of them over the kernel."""
    status = process(uid=0, held=ALL_RIGHTS)
    mapped = "0 1000 1"
    answer = features.rights(host(tmp_path, proc__self__status=status, proc__self__uid_map=mapped))
    assert answer.state is State.NO


@pytest.fixture
def first_on_path(tmp_path: Path) -> Iterator[Path]:
    """Let a folder come first where Python looks for modules."""
    sys.path.insert(0, str(tmp_path))
    importlib.invalidate_caches()
    yield tmp_path
    sys.path.remove(str(tmp_path))


def test_the_bcc_of_debian_is_found_and_not_imported(first_on_path: Path) -> None:
    """An import would cost 60 MB, and this one would raise."""
    (first_on_path / "bcc").mkdir()
    (first_on_path / "bcc" / "__init__.py").write_text("raise AssertionError")
    (first_on_path / "bcc" / "libbcc.py").touch()
    answer = features.bcc()
    assert answer.state is State.YES
    assert answer.detail == str(first_on_path / "bcc")


def test_another_bcc_is_none(first_on_path: Path) -> None:
    """PyPI has a package of that name which is something else."""
    (first_on_path / "bcc").mkdir()
    (first_on_path / "bcc" / "__init__.py").touch()
    assert features.bcc().state is State.NO


@pytest.mark.parametrize(
    ("mounts", "word"),
    [
        ("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n", "unified"),
        ("a /sys/fs/cgroup/cpu cgroup rw 0 0\nb /sys/fs/cgroup/unified cgroup2 rw 0 0\n", "hybrid"),
        ("any /a\x0cb\u2028c\\040cgroup tmpfs rw 0 0\n", "unified"),
        ("", "unified"),
    ],
)
def test_a_version_1_hierarchy_makes_a_host_hybrid(tmp_path: Path, mounts: str, word: str) -> None:
    """A mount point may look like fields, or like the end of a line, and is neither."""
    assert features.hierarchy(host(tmp_path, proc__self__mounts=mounts)) == word


def test_security_modules_and_lockdown_are_read_where_securityfs_is_mounted(
    tmp_path: Path,
) -> None:
    """Where it is not, nothing is known, which is not the same as none."""
    assert features.active_lsms(tmp_path) is None
    assert features.lockdown(tmp_path) is None
    host(
        tmp_path,
        sys__kernel__security__lsm="lockdown,capability,bpf",
        sys__kernel__security__lockdown="none [integrity] confidentiality\n",
    )
    assert features.active_lsms(tmp_path) == ["lockdown", "capability", "bpf"]
    assert features.lockdown(tmp_path) == "integrity"


CONFIG = (
    "# CONFIG_IO_URING is not set\nCONFIG_INET_DIAG_DESTROY=y\nCONFIG_INET_UDP_DIAG=m\n"
    "CONFIG_BPF_JIT_ALWAYS_ON=y\n"
)
YES, NO, UNKNOWN = State.YES, State.NO, State.UNKNOWN


@pytest.mark.parametrize(
    ("ask", "files", "state"),
    [
        (features.loginuid, {}, NO),
        (features.loginuid, {"proc__self__loginuid": "4294967295"}, YES),
        (features.kprobe, {}, NO),
        (features.kprobe, {"sys__bus__event_source__devices__kprobe__type": "8"}, YES),
        (features.jit, {"proc__sys__net__core__bpf_jit_enable": "0\n"}, NO),
        (features.jit, {"proc__sys__net__core__bpf_jit_enable": "1\n"}, YES),
        (features.jit, {}, UNKNOWN),
        (features.jit, {"proc__config.gz": gzip.compress(CONFIG.encode())}, YES),
        (features.root_only_bpf, {"proc__sys__kernel__unprivileged_bpf_disabled": "0\n"}, NO),
        (features.root_only_bpf, {"proc__sys__kernel__unprivileged_bpf_disabled": "2\n"}, YES),
        (features.root_only_bpf, {}, UNKNOWN),
        (features.io_uring, {"proc__sys__kernel__io_uring_disabled": "0\n"}, YES),
        (features.io_uring, {"proc__sys__kernel__io_uring_disabled": "2\n"}, NO),
        (features.io_uring, {f"boot__config-{RELEASE}": CONFIG}, NO),
        (features.io_uring, {}, UNKNOWN),
        (features.mptcp, {"proc__sys__net__mptcp__enabled": "1\n"}, YES),
        (features.mptcp, {"proc__sys__net__mptcp__enabled": "0\n"}, NO),
        (features.mptcp, {}, NO),
        (features.sock_destroy, {f"boot__config-{RELEASE}": CONFIG}, YES),
        (features.sock_destroy, {f"lib__modules__{RELEASE}__config": CONFIG}, YES),
        (features.sock_destroy, {"boot__config-another": CONFIG}, UNKNOWN),
        (features.udp_diag, {f"boot__config-{RELEASE}": CONFIG}, YES),
        (features.udp_diag, {f"boot__config-{RELEASE}": "CONFIG_INET_DIAG=y\n"}, NO),
        (features.udp_diag, {}, UNKNOWN),
        (features.sock_destroy, {"proc__config.gz": b"damaged"}, UNKNOWN),
        (features.sock_destroy, {"proc__config.gz": gzip.compress(b"any")[:-9]}, UNKNOWN),
    ],
)
def test_files_answer(
    tmp_path: Path, ask: Callable[[Path], Answer], files: dict[str, str | bytes], state: State
) -> None:
    """A file that is not there is an answer where it has to be, and no answer elsewhere."""
    assert ask(host(tmp_path, **files)).state is state


def test_the_kernel_is_named() -> None:
    """Told, and never compared."""
    assert features.kernel() == (RELEASE, os.uname().machine)
