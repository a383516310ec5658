# SPDX-License-Identifier: Apache-2.0
"""Records of the ring buffer, as the probes write them."""

from __future__ import annotations

import struct

from sensor.core.facts import Process, Ruled
from sensor.core.words import Enforcement, Verdict
from sensor.wire import probe

TOOL, SHELL = Process(7, 70), Process(8, 80)
V4 = bytes.fromhex("00000000000000000000ffffc0000201")
UNRULED = (0, 0, 0, 0)
RULING = (7, 2, 4, 3)
RULED = Ruled(7, 2, Verdict.BLOCK, Enforcement.CGROUP)
HTTPS = struct.unpack("=H", b"\x01\xbb")[0]


def head(kind: int, pid: int = 8) -> tuple[int, ...]:
    """Give the members of a record's head: at 100, in the session of TOOL."""
    return (100, TOOL.started_ns, TOOL.pid, pid, kind, 0, 0)


def exec_record(
    *,
    strings: tuple[bytes, ...] = (
        b"codex.js\0bin\0opt\0",
        b"src\0home\0",
        b"/usr/bin/codex\0",
        b"/usr/bin/node\0",
        b"node\0/usr/bin/codex\0-p\0",
    ),
    flags: int = 0,
    signals: int = 1,
    loginuid: int = 1000,
    tty: bytes = b"pts3",
    ruling: tuple[int, ...] = UNRULED,
    tools: tuple[int, ...] = (0, 0, 0, 0),
    script: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> bytes:
    """Write the record of an execution."""
    file, who = (11, 12, 13), (7, 1001, loginuid)
    members = (80, 70, 55, *file, *script, *who, 1 << 20 | 2, 4, signals, flags)
    sizes = [len(one) for one in strings]
    fixed = probe.EXEC.pack(*head(1), *members, *sizes, 0, *ruling, *tools, tty)
    return fixed + b"".join(strings)
