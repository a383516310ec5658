# SPDX-License-Identifier: Apache-2.0
"""What the probes consist of: units, programs, hooks, maps.

The loader compiles ``UNITS`` in this order as one text, and refuses to go on
when the programs it finds are not exactly ``PROGRAMS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Hook(Enum):
    """How a program is attached: ``(BPF_PROG_TYPE_*, BPF_*_ATTACH_TYPE)`` of uapi/linux/bpf.h."""

    RAW_TRACEPOINT = (17, None)
    CONNECT4 = (18, 10)
    CONNECT6 = (18, 11)
    SENDMSG4 = (18, 14)
    SENDMSG6 = (18, 15)
    INGRESS = (8, 0)

    @property
    def program_type(self) -> int:
        """The kernel's number for the kind of program."""
        return self.value[0]

    @property
    def attach_type(self) -> int | None:
        """The kernel's number for the place in a cgroup, None where there is no cgroup."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Program:
    """One BPF function and where it belongs. Without it, ``sees`` is not seen."""

    name: str
    hook: Hook
    sees: str
    tracepoint: str = ""
    required: bool = False


UNITS = (
    "members.c",
    "files.c",
    "arguments.c",
    "record.c",
    "exec.c",
    "lineage.c",
    "connect.c",
    "flows.c",
    "answers.c",
)

_RAW = Hook.RAW_TRACEPOINT
PROGRAMS = (
    Program("seen_exec", _RAW, "execution", "sched_process_exec", required=True),
    Program("seen_fork", _RAW, "children", "sched_process_fork", required=True),
    Program("seen_exit", _RAW, "ends of processes", "sched_process_exit", required=True),
    Program("seen_connect4", Hook.CONNECT4, "connections over IPv4"),
    Program("seen_connect6", Hook.CONNECT6, "connections over IPv6"),
    Program("seen_sendmsg4", Hook.SENDMSG4, "datagrams over IPv4"),
    Program("seen_sendmsg6", Hook.SENDMSG6, "datagrams over IPv6"),
    Program("seen_state", _RAW, "outcome, bytes and ends of connections", "inet_sock_set_state"),
    Program("seen_answer", Hook.INGRESS, "names that sessions look up"),
)

MAPS = (
    "records", "lost", "members", "scope", "words", "names", "files",
    "flows", "askers", "sent",
)  # fmt: skip
