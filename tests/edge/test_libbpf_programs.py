# SPDX-License-Identifier: Apache-2.0
"""The kernel counts what it did not run, and says so of programs that are held open."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from support.bpf import EGRESS, SKB, make_program, open_here
from support.loading import loading
from support.pins import mounted_bpffs

from sensor.edge import libbpf
from sensor.edge.libbpf_programs import Programs, misses

pytestmark = pytest.mark.kernel

RAW_TRACEPOINT, TIMES = 17, 23


def instruction(code: int, registers: int = 0, offset: int = 0, immediate: int = 0) -> bytes:
    """Write a struct bpf_insn of include/uapi/linux/bpf.h."""
    return struct.pack("<BBhi", code, registers, offset, immediate)


# Prints one letter.
PRINTS = b"".join(
    (
        instruction(0xB7, 1, 0, ord("x")),  # r1 = "x"
        instruction(0x7B, 0x1A, -8),  # *(r10 - 8) = r1
        instruction(0xBF, 0xA1),  # r1 = r10
        instruction(0x07, 1, 0, -8),  # r1 -= 8
        instruction(0xB7, 2, 0, 2),  # r2 = 2
        instruction(0x85, 0, 0, 6),  # bpf_trace_printk
        instruction(0xB7),  # r0 = 0
        instruction(0x95),
    )
)


def test_a_program_that_would_interrupt_itself_is_counted() -> None:
    """It prints at the end of a process, and is to run at what is printed."""
    program = make_program(RAW_TRACEPOINT, 0, PRINTS)
    links = [
        libbpf.attach_raw_tracepoint(program, name)
        for name in ("sched_process_exit", "bpf_trace_printk")
    ]
    try:
        before = misses(program)
        for _ in range(TIMES):
            assert os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)[1] == 0
        assert misses(program) - before >= TIMES
    finally:
        for fd in (*links, program):
            os.close(fd)


def test_programs_are_found_behind_their_links(tmp_path: Path) -> None:
    """All that are pinned; nothing of them was missed, or it is counted."""
    with loading(tmp_path) as loaded:
        pins = [*loaded.folder.glob("link_*"), *loaded.folder.glob("prog_*")]
        before = open_here()
        programs = Programs(pins)
        assert open_here() - before == len(pins) > 0
        assert programs.misses() >= 0
        del programs
        assert open_here() == before


def test_what_cannot_be_opened_is_left_out(tmp_path: Path) -> None:
    """A pin that is gone has nothing to count."""
    with mounted_bpffs(tmp_path / "bpf") as pins:
        program = make_program(SKB, EGRESS)
        libbpf.pin(program, str(pins / "prog_one"))
        os.close(program)
        before = open_here()
        programs = Programs([pins / "prog_one", pins / "link_gone", Path("/nowhere/prog_x")])
        assert open_here() - before == 1
        assert programs.misses() == 0
