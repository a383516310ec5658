# SPDX-License-Identifier: Apache-2.0
"""A program that execs once, and prints what BPF read of it beside what /proc and stat tell.

``python -m support.reading HEADERS``, where HEADERS is a tree of kernel types. A
process of its own, because bcc stays in memory. Nobody else's exec is read.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from sensor.daemon.loader import probes
from sensor.edge.compiler import Compiled
from sensor.edge.libbpf import Map, attach_raw_tracepoint, load_program

SOURCE = Path(__file__).parent.parent / "kernel" / "read_types.c"
# struct seen of read_types.c, in its order.
SEEN = struct.Struct("=6Q5I16s16s4x")
NAMES = (
    "start_ticks", "ino", "size", "ctime_s", "ctime_ns", "argv_bytes",
    "tgid", "parent_tgid", "dev", "links", "loginuid", "typed", "cwd",
)  # fmt: skip
# enum bpf_prog_type of include/uapi/linux/bpf.h
RAW_TRACEPOINT = 17
MINOR_BITS = 20  # include/linux/kdev_t.h
NS = 10**9


def main(headers: Path) -> None:
    """Exec the workload under the program, and print both views of it."""
    flags = (f"-I{probes()}", f"-I{headers}/include", f"-DREADER={os.getpid()}")
    compiled = Compiled(SOURCE.read_text("utf-8"), headers=headers, flags=flags)
    program = load_program(compiled.code("read_exec"), RAW_TRACEPOINT, 0, name="read_exec")
    link = attach_raw_tracepoint(program, "sched_process_exec")
    with tempfile.TemporaryDirectory() as cwd:
        pipe = subprocess.PIPE
        with subprocess.Popen(["/bin/cat", "-"], stdin=pipe, stdout=pipe, cwd=cwd) as process:
            assert process.stdin
            assert process.stdout
            # What comes back says that the exec is over: Popen returns in the middle of it.
            process.stdin.write(b"\n")
            process.stdin.flush()
            assert process.stdout.read(1) == b"\n"
            os.close(link)
            told = _told(process.pid)
        seen = Map(compiled.map("seen")).lookup(bytes(4), SEEN.size)
    sys.stdout.write(json.dumps([_seen(seen or bytes(SEEN.size)), told]))


def _seen(record: bytes) -> dict[str, int | str]:
    fields = dict(zip(NAMES, SEEN.unpack(record), strict=True))
    fields["start_ticks"] = fields["start_ticks"] * os.sysconf("SC_CLK_TCK") // NS
    texts = {name: fields[name].split(b"\0")[0].decode() for name in ("typed", "cwd")}
    return fields | texts


def _told(pid: int) -> dict[str, int | str]:
    proc = Path("/proc", str(pid))
    file = (proc / "exe").stat()
    after_comm = (proc / "stat").read_text("utf-8").rpartition(")")[2].split()
    return {
        "start_ticks": int(after_comm[19]),  # proc(5): field 22, comm is field 2
        "ino": file.st_ino,
        "size": file.st_size,
        "ctime_s": file.st_ctime_ns // NS,
        "ctime_ns": file.st_ctime_ns % NS,
        "argv_bytes": len((proc / "cmdline").read_bytes()),
        "tgid": pid,
        "parent_tgid": os.getpid(),
        "dev": os.major(file.st_dev) << MINOR_BITS | os.minor(file.st_dev),
        "links": file.st_nlink,
        "loginuid": int((proc / "loginuid").read_text("utf-8")),
        "typed": "/bin/cat",
        "cwd": (proc / "cwd").readlink().name[:15],
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
