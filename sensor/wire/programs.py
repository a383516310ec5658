# SPDX-License-Identifier: Apache-2.0
"""What the probes consist of: units, programs, hooks, maps.

The loader compiles ``UNITS`` in this order as one text, and refuses to go on
when the programs it finds are not exactly ``PROGRAMS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Hook(Enum):
    """How a program is attached: its BPF_PROG_TYPE_* and, in a cgroup, its BPF_*_ATTACH_TYPE.

    Numbers of include/uapi/linux/bpf.h.
    """

    program_type: int
    attach_type: int | None

    RAW_TRACEPOINT = (17, None)
    CONNECT4 = (18, 10)
    CONNECT6 = (18, 11)
    SENDMSG4 = (18, 14)
    SENDMSG6 = (18, 15)
    INGRESS = (8, 0)
    EGRESS = (8, 1)
    LSM = (29, 27)

    def __init__(self, program_type: int, attach_type: int | None) -> None:
        self.program_type = program_type
        self.attach_type = attach_type


@dataclass(frozen=True, slots=True)
class Program:
    """One BPF function and where it belongs. Without it, ``sees`` is not seen.

    ``function`` is the tracepoint, or the kernel's function of a security module's
    hook. ``code`` is the function of the sources, where its name is another one.
    What is for policy alone is loaded and pinned, and attached ``on_demand``.
    """

    name: str
    hook: Hook
    sees: str
    function: str = ""
    code: str = ""
    required: bool = False
    on_demand: bool = False

    @property
    def source(self) -> str:
        """The function that BCC compiles for it."""
        return self.code or self.name

    @property
    def pin(self) -> str:
        """The name of what is pinned of it at the start: the link, or the program itself."""
        return f"prog_{self.name}" if self.on_demand else f"link_{self.name}"


UNITS = (
    "members.c",
    "turns.c",
    "policy.c",
    "choice.c",
    "places.c",
    "files.c",
    "arguments.c",
    "scripts.c",
    "strings.c",
    "record.c",
    "verdict.c",
    "brokers.c",
    "exec.c",
    "lsm.c",
    "lineage.c",
    "names.c",
    "reach.c",
    "attempt.c",
    "socket.c",
    "connect.c",
    "flows.c",
    "answers.c",
    "learn.c",
    "segment.c",
    "heard.c",
    "hello.c",
)

_RAW = Hook.RAW_TRACEPOINT
STATES = "seen_state"
JUDGE, LEARN, HELLO = "judge_exec", "learn_names", "judge_hello"
PROGRAMS = (
    Program("seen_exec", _RAW, "execution", "sched_process_exec", required=True),
    Program("seen_fork", _RAW, "children", "sched_process_fork", required=True),
    Program("seen_exit", _RAW, "ends of processes", "sched_process_exit", required=True),
    Program("seen_connect4", Hook.CONNECT4, "connections over IPv4"),
    Program("seen_connect6", Hook.CONNECT6, "connections over IPv6"),
    Program("seen_sendmsg4", Hook.SENDMSG4, "datagrams over IPv4", code="seen_connect4"),
    Program("seen_sendmsg6", Hook.SENDMSG6, "datagrams over IPv6", code="seen_connect6"),
    Program(STATES, _RAW, "outcome, bytes and ends of connections", "inet_sock_set_state"),
    Program("seen_answer", Hook.INGRESS, "names that sessions look up"),
    Program(JUDGE, Hook.LSM, "executions before they commit", "bprm_check_security",
            on_demand=True),
    Program(LEARN, Hook.INGRESS, "names of policy that anybody looks up", on_demand=True),
    Program(HELLO, Hook.EGRESS, "names that connections say first", on_demand=True),
)  # fmt: skip

ON_DEMAND = tuple(program for program in PROGRAMS if program.on_demand)
"""Attached only while a policy asks for them."""

OBSERVING = tuple(program for program in PROGRAMS if not program.on_demand)
"""What serves a sensor that has no policy and gets none."""

STAND_BYS = tuple(
    Program(
        one.name.replace("seen", "missed"),
        one.hook,
        f"{one.sees}, where the kernel leaves out the first program",
        one.function,
        code=one.source,
    )
    for one in PROGRAMS
    if one.hook is _RAW
)
"""Attached behind those of tracepoints where the kernel leaves some out now and then (turns.py)."""

STAND_BYS_OF_INTERRUPTS = tuple(one for one in STAND_BYS if one.source == STATES)
"""On every kernel: an interrupt changes one socket's state amid the program for another's."""

MAPS = (
    "records", "verdicts", "lost", "told", "members", "state", "scope", "words", "names",
    "brokers", "answers", "inodes", "asked", "options", "scripts",
    "shown", "places", "flows", "askers", "sent", "policies",
    "tools", "entries", "path_conditions", "users", "cgroups", "domains", "ranges", "addresses",
    "resolvers",
)  # fmt: skip
