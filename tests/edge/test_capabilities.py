# SPDX-License-Identifier: Apache-2.0
"""Rights that are given up are gone for good, for this process and all it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sensor.core.rights import Capability
from sensor.edge.capabilities import held

ROOT = Path(__file__).resolve().parents[2]
BEGIN = f"""
import json, os, subprocess, sys, threading
sys.path.insert(0, {str(ROOT)!r})
from sensor.core.rights import Capability
from sensor.edge.capabilities import held, keep, keep_here
from sensor.errors import SensorError
"""
READ = frozenset({Capability.DAC_READ_SEARCH, Capability.SYS_PTRACE})


def alone(code: str, *before: str) -> object:
    """Run code in a process of its own, which prints JSON; rights never come back."""
    argv = [*before, sys.executable, "-I", "-c", BEGIN + code]
    return json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)


def test_what_is_held_is_read_from_the_kernel() -> None:
    """The numbers are those of /proc, the names those of the header."""
    status = Path("/proc/self/status").read_text("ascii", "replace")
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    assert sum(1 << bit for bit in held().effective) == int(mask, 16)
    assert (Capability.SYS_PTRACE in held().effective) is bool(int(mask, 16) >> 19 & 1)


@pytest.mark.kernel
def test_only_what_is_wanted_stays() -> None:
    """Every set is cut, and nothing can be gained by starting a program."""
    sets = alone("""
keep(frozenset({Capability.DAC_READ_SEARCH, Capability.SYS_PTRACE}))
now = held()
print(json.dumps([sorted(s) for s in (now.effective, now.permitted, now.bounding,
                  now.inheritable, now.ambient)] + [now.no_new_privs]))
""")
    assert sets == [sorted(READ), sorted(READ), sorted(READ), [], [], True]


@pytest.mark.kernel
def test_a_program_started_later_has_no_more() -> None:
    """It runs as root, which elsewhere would give it everything."""
    mask = alone("""
keep(frozenset({Capability.SYS_PTRACE}))
told = subprocess.run(["/bin/cat", "/proc/self/status"], check=True, capture_output=True, text=True)
print(json.dumps([line.split()[1] for line in told.stdout.splitlines() if "CapEff" in line]))
""")
    assert mask == [f"{1 << Capability.SYS_PTRACE:016x}"]


@pytest.mark.kernel
def test_giving_up_twice_is_giving_up_both() -> None:
    """The second time there is no CAP_SETPCAP, and nothing left that takes it."""
    left = alone("""
wanted = frozenset({Capability.SYS_PTRACE})
keep(wanted)
keep(wanted)
print(json.dumps(sorted(held().effective)))
""")
    assert left == [Capability.SYS_PTRACE]


@pytest.mark.kernel
def test_a_process_gives_up_its_own_without_a_right_to() -> None:
    """What it could start is left alone; that takes CAP_SETPCAP."""
    sets = alone("""
keep(frozenset({Capability.DAC_READ_SEARCH, Capability.SYS_PTRACE}))
keep_here(frozenset({Capability.DAC_READ_SEARCH}))
now = held()
print(json.dumps([sorted(s) for s in (now.effective, now.permitted, now.bounding)]))
""")
    read = [Capability.DAC_READ_SEARCH]
    assert sets == [read, read, sorted(READ)]


@pytest.mark.kernel
def test_what_is_not_there_is_not_given() -> None:
    """Keeping gives nothing."""
    left = alone("""
keep(frozenset({Capability.SYS_PTRACE}))
keep(frozenset({Capability.SYS_PTRACE, Capability.BPF}))
print(json.dumps(sorted(held().effective)))
""")
    assert left == [Capability.SYS_PTRACE]


@pytest.mark.kernel
def test_several_threads_are_refused() -> None:
    """The other one would keep all it has, and nobody would know."""
    said = alone("""
end = threading.Event()
threading.Thread(target=end.wait).start()
try:
    keep(frozenset())
except SensorError as problem:
    print(json.dumps([str(problem), Capability.SYS_PTRACE in held().effective]))
end.set()
""")
    assert said == [
        "rights belong to threads, and there are 2: give them up before starting any", True
    ]  # fmt: skip


@pytest.mark.kernel
def test_a_bounding_set_that_cannot_be_cut_is_an_error() -> None:
    """It says what is missing."""
    without = ("setpriv", "--bounding-set=-setpcap", "--inh-caps=-setpcap")
    said = alone(
        """
try:
    keep(frozenset())
except SensorError as problem:
    print(json.dumps([type(problem).__name__, str(problem)]))
""",
        *without,
    )
    assert said == [
        "NotPermittedError",
        "cannot give up rights: Operation not permitted; start with CAP_SETPCAP, or as root",
    ]


def test_reading_needs_no_rights() -> None:
    """Whoever asks gets an answer."""
    before = ("setpriv", "--reuid=65534", "--clear-groups") if os.geteuid() == 0 else ()
    assert alone("print(json.dumps(sorted(held().effective)))", *before) == []
