# SPDX-License-Identifier: Apache-2.0
"""The features that the sensor asks a host for: what each serves, and what its absence costs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Need(Enum):
    """What ``watch`` has of a feature; NONE serves other commands, or is only told."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that a host can offer. ``remedy`` is for its absence, where there is any."""

    id: str
    name: str
    need: Need
    serves: str
    cost: str
    remedy: str | None = None


RUN_NEEDS = frozenset({"bpffs"})
"""The ids of what ``run`` cannot do without, and ``watch`` can."""

_NOTHING_SEEN = "nothing can be seen"
_OTHER_KERNEL = "Boot a kernel that has it: those of Debian, Ubuntu and Fedora do"

FEATURES = (
    Feature(
        "rights", "rights", Need.REQUIRED,
        "the probes can be attached, as CAP_SYS_ADMIN or root may",
        "the probes cannot be attached",
        "Run it on the host as root; in a container, with --privileged and the host's user"
        " namespace",
    ),
    Feature(
        "libbpf", "libbpf", Need.REQUIRED,
        "the sensor reads what the probes send",
        f"{_NOTHING_SEEN}, and the kernel cannot be asked what it can do",
        "Run apt install libbpf1",
    ),
    Feature(
        "bcc", "python3-bpfcc", Need.REQUIRED,
        "the probes can be compiled",
        "the probes cannot be compiled",
        "Run apt install python3-bpfcc, and agent-sensor by the system's Python: bcc of PyPI is"
        " another thing",
    ),
    Feature(
        "btf", "BTF", Need.REQUIRED,
        "the kernel describes its types, so no header package is needed",
        "the probes do not know the kernel's types",
        "Boot a kernel with CONFIG_DEBUG_INFO_BTF=y: those of Debian, Ubuntu and Fedora have it",
    ),
    Feature(
        "btf_members", "kernel structs", Need.REQUIRED,
        "all that the probes read is where they look for it",
        "the probes cannot be compiled for this kernel",
        "Update agent-sensor, or add to probes/types.toml where it lies in this kernel",
    ),
    Feature(
        "raw_tracepoint", "raw tracepoints", Need.REQUIRED,
        "execution, children and ends of processes are seen",
        _NOTHING_SEEN,
        _OTHER_KERNEL,
    ),
    Feature(
        "ringbuf", "ring buffer", Need.REQUIRED,
        "records come out of the kernel",
        _NOTHING_SEEN,
        "Boot a kernel with BPF_MAP_TYPE_RINGBUF: all of the last years have it",
    ),
    Feature(
        "lockdown", "kernel memory", Need.REQUIRED,
        "lockdown lets BPF programs read kernel memory",
        "lockdown keeps BPF programs from reading kernel memory: nothing can be seen",
        "Boot with lockdown=integrity in place of lockdown=confidentiality",
    ),
    Feature(
        "cgroup2", "cgroup2", Need.REQUIRED,
        "connections can be hooked, and a part of the host watched by itself",
        "there is nothing to attach the network probes to",
        "Run mount -t cgroup2 none /sys/fs/cgroup",
    ),
    Feature(
        "sock_addr", "cgroup sock_addr", Need.OPTIONAL,
        "connections are seen as they are made",
        "connections are not seen",
        "Boot a kernel with CONFIG_CGROUP_BPF=y",
    ),
    Feature(
        "cgroup_skb", "cgroup skb", Need.OPTIONAL,
        "names that sessions look up are seen, and connections are told by name",
        "connections are told by address only",
        "Boot a kernel with CONFIG_CGROUP_BPF=y",
    ),
    Feature(
        "sock_state", "inet_sock_set_state", Need.OPTIONAL,
        "outcome, bytes and ends of connections are seen",
        "outcome, bytes and ends of connections are not seen",
        _OTHER_KERNEL,
    ),
    Feature(
        "loginuid", "loginuid", Need.OPTIONAL,
        "events tell who logged in, whatever became of the user id since",
        "events tell the user id, and not who logged in",
        "Boot a kernel with CONFIG_AUDIT=y",
    ),
    Feature(
        "btf_optional", "optional structs", Need.OPTIONAL,
        "all that some kernels leave out is in this one",
        "fields of events are absent",
        _OTHER_KERNEL,
    ),
    Feature(
        "jit", "BPF JIT", Need.OPTIONAL,
        "the probes run as machine code",
        "the probes are interpreted: each exec and connection costs more time",
        "Run sysctl -w net.core.bpf_jit_enable=1",
    ),
    Feature(
        "bpffs", "bpffs", Need.NONE,
        "run and load can pin the probes",
        "run and load cannot pin the probes; watch brings a bpffs of its own",
        "Run mount -t bpf bpf /sys/fs/bpf",
    ),
    Feature(
        "lsm", "BPF LSM", Need.NONE,
        "an exec can be refused before it starts",
        "an exec cannot be refused before it starts; SIGKILL instead",
        "Boot a kernel that takes LSM programs (CONFIG_BPF_LSM=y), with bpf among lsm=",
    ),
    Feature(
        "sock_destroy", "socket destroy", Need.NONE,
        "a refused connection can be ended at once",
        "a refused connection ends by time-out",
        "Boot a kernel with CONFIG_INET_DIAG_DESTROY=y",
    ),
    Feature(
        "udp_diag", "UDP sockets", Need.NONE,
        "a datagram socket of a session that is connected already can be ended",
        "a datagram socket that is connected already goes on after a verdict",
        "Boot a kernel with CONFIG_INET_UDP_DIAG=y, or as a module that may be loaded",
    ),
    Feature(
        "fentry", "fentry", Need.NONE,
        "other BPF tools can hook kernel functions; the sensor does not",
        "nothing is lost: the sensor does not hook kernel functions",
    ),
    Feature(
        "kprobe", "kprobes", Need.NONE,
        "other BPF tools can hook kernel instructions; the sensor does not",
        "nothing is lost: the sensor does not hook kernel instructions",
    ),
    Feature(
        "root_only_bpf", "BPF for root only", Need.NONE,
        "other users cannot load BPF programs",
        "any user may load BPF programs; the sensor does not mind",
        "Run sysctl -w kernel.unprivileged_bpf_disabled=2",
    ),
    Feature(
        "io_uring", "io_uring", Need.NONE,
        "programs can connect through it, and are seen all the same",
        "nothing is lost: programs connect by system calls, which are seen",
    ),
    Feature(
        "mptcp", "MPTCP", Need.NONE,
        "a connection's first path is told; further paths of the same connection are not",
        "nothing is lost: connections have one path",
    ),
)  # fmt: skip
