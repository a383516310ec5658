# SPDX-License-Identifier: Apache-2.0
"""The table of programs is that of the sources."""

from __future__ import annotations

import re

from support.structs import PROBES

from sensor.wire.programs import MAPS, PROGRAMS, STAND_BYS, UNITS, Hook

SOURCE = "\n".join((PROBES / unit).read_text("utf-8") for unit in UNITS)
# linux/bpf.h: BPF_PROG_TYPE_CGROUP_SKB, _RAW_TRACEPOINT, _CGROUP_SOCK_ADDR and _LSM
KNOWN_TYPES = {8, 17, 18, 29}


def test_every_unit_is_compiled() -> None:
    """A file that nobody joins would be seen by nobody."""
    assert sorted(UNITS) == sorted(path.name for path in PROBES.glob("*.c"))
    assert len(set(UNITS)) == len(UNITS)


def test_every_program_is_a_function_and_the_other_way_round() -> None:
    """What is not static becomes a program."""
    functions = re.findall(r"^int (\w+)\(", SOURCE, re.MULTILINE)
    assert sorted(functions) == sorted({program.source for program in PROGRAMS})


def test_every_map_is_declared() -> None:
    """Scratch space, which only the probes use, is not pinned."""
    declared = re.findall(r"^BPF_\w+\((.*?)\);", SOURCE, re.MULTILINE)
    words = {word for arguments in declared for word in arguments.split(", ")}
    assert set(MAPS) <= words
    assert len(set(MAPS)) == len(MAPS)


def test_executions_and_what_comes_of_them_are_the_floor() -> None:
    """Without these there are no sessions; without the others something is not seen."""
    required = {program.function for program in PROGRAMS if program.required}
    assert required == {"sched_process_exec", "sched_process_fork", "sched_process_exit"}


def test_a_program_knows_where_it_belongs() -> None:
    """A raw tracepoint has a name, a cgroup hook a number; each says what it sees."""
    for program in PROGRAMS:
        assert bool(program.function) == (program.hook in {Hook.RAW_TRACEPOINT, Hook.LSM})
        assert (program.hook.attach_type is None) == (program.hook is Hook.RAW_TRACEPOINT)
        assert program.hook.program_type in KNOWN_TYPES
        assert program.sees
    cgroup_hooks = [
        program.hook for program in PROGRAMS if not program.function and not program.on_demand
    ]
    assert len(set(cgroup_hooks)) == len(cgroup_hooks)


def test_a_stand_by_is_another_program_of_the_same_code() -> None:
    """Each of a tracepoint has one, at the same tracepoint, under a name of its own."""
    behind = [(one.source, one.hook, one.function) for one in STAND_BYS]
    traced = [one for one in PROGRAMS if one.hook is Hook.RAW_TRACEPOINT]
    assert behind == [(one.source, one.hook, one.function) for one in traced]
    assert not {one.pin for one in STAND_BYS} & {one.pin for one in PROGRAMS}
    assert not any(one.required or one.on_demand for one in STAND_BYS)
