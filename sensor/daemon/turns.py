# SPDX-License-Identifier: Apache-2.0
"""What the probes need of a kernel that leaves programs of tracepoints out now and then.

It runs no such program on a CPU where that has begun and not ended. An interrupt can come
amid one on every kernel, another task from Linux 7.0 on. So programs keep others off as far
as they can, and have stand-bys (probes/undisturbed.h).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sensor.edge.libbpf import load_program
from sensor.edge.libbpf_programs import function_ids
from sensor.errors import SensorError
from sensor.wire.code import CALLS, TRIAL, Turn, linked
from sensor.wire.programs import STAND_BYS, STAND_BYS_OF_INTERRUPTS, Hook, Program

if TYPE_CHECKING:
    from pathlib import Path

# A type that a guard of include/linux/srcu.h makes, which none but tracepoints uses so far. It
# came with the change that left preemption on there (Linux 7.0, a46023d5616e), whose own names
# are inlined and in no kernel's types.
_PREEMPTIBLE = b"\0class_srcu_fast_notrace_t\0"


class Turns:
    """What the kernel of these types (BTF) needs of that, and has for it."""

    def __init__(self, types: bytes) -> None:
        is_needed = _PREEMPTIBLE in types
        self._functions = _functions() if is_needed else {}
        self.stand_bys = STAND_BYS if self._functions else STAND_BYS_OF_INTERRUPTS
        self.missing = dict.fromkeys(
            [one.name for one in STAND_BYS if is_needed and one not in self.stand_bys],
            "the kernel lets programs call none of its functions that keep preemption off",
        )
        """The stand-bys that are needed and cannot be had, with why."""

    def linked(self, code: bytes, program: Program) -> bytes:
        """Fit a program's code to the kernel."""
        turn = Turn.ALONE
        if program in self.stand_bys:
            turn = Turn.AGAIN
        elif program.name in {one.source for one in self.stand_bys}:
            turn = Turn.FIRST
        return linked(code, self._functions, turn)

    def take_away_alone(self, pins: Path) -> set[str]:
        """Detach the stand-bys whose first program is not attached, and name them.

        Each would count all that it is run for as missed, and hide what others miss.
        """
        alone = [one for one in self.stand_bys if not (pins / f"link_{one.source}").exists()]
        for one in alone:
            (pins / one.pin).unlink(missing_ok=True)
        return {one.name for one in alone}


def _functions() -> dict[int, int]:
    """Give the BTF ids of what ``CALLS`` names; none where programs may not call them all."""
    try:
        found = dict(zip(CALLS, function_ids(CALLS.values()), strict=True))
        if not all(found.values()):
            return {}
        trial = linked(TRIAL, found, Turn.ALONE)
        os.close(load_program(trial, Hook.RAW_TRACEPOINT.program_type, 0, name="ask"))
    except SensorError:  # without a compiler of its own for BPF it calls no functions
        return {}
    return found
