# SPDX-License-Identifier: Apache-2.0
"""What is missed as somebody else's run of a program has not ended is seen by a stand-by."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from support.host import CHECKOUT, Host, copied
from support.loading import Loaded
from support.scope import Scope

from sensor.core.facts import Exec, Exit
from sensor.daemon.catalogues import catalogue
from sensor.daemon.probing import Probing
from sensor.daemon.turns import Turns
from sensor.edge.libbpf_programs import function_ids
from sensor.wire import probe
from sensor.wire.code import CALLS, TURN_CALL
from sensor.wire.programs import PROGRAMS, STAND_BYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.facts import Fact
    from sensor.daemon.instance import Pins

pytestmark = pytest.mark.kernel

PREEMPTIBLE = b"\0class_srcu_fast_notrace_t\0"
ALL = struct.pack("<BBhi", 0x85, 0, 0, TURN_CALL) + b"".join(
    struct.pack("<BBhi", 0x85, 0, 0, number) for number in CALLS
)
AMID = 3
"""So many of the whole host's may really be left out meanwhile, where the kernel does that."""

SOURCE = 4  # the bits of the source register, which says what is called


def calls(code: bytes) -> list[tuple[int, int]]:
    """Give what each instruction is, and whose function it calls."""
    return [
        (kind, registers >> SOURCE) for kind, registers, _, _ in struct.iter_unpack("<BBhi", code)
    ]


def test_a_kernel_whose_tasks_are_left_alone_in_tracepoints_gets_nothing() -> None:
    """No stand-by, and nothing in the place of what the programs call."""
    turns = Turns(b"\0of_another_kernel\0")
    assert turns.stand_bys == ()
    assert calls(turns.linked(ALL, PROGRAMS[0])) == [(0xB7, 0)] + [(0x05, 0)] * len(CALLS)


def test_a_kernel_that_needs_it_gets_all_or_nothing() -> None:
    """Where one of the functions lacks, a stand-by could disturb whom it stands in for."""
    turns = Turns(PREEMPTIBLE)
    if not all(function_ids(CALLS.values())):
        assert turns.stand_bys == ()
        assert turns.missing.keys() == {one.name for one in STAND_BYS}
        return
    assert turns.missing == {}
    assert turns.stand_bys == STAND_BYS
    assert calls(turns.linked(ALL, STAND_BYS[0]))[1:] == [(0x85, 2)] * len(CALLS)
    assert [turns.linked(ALL, one)[4] for one in (PROGRAMS[0], STAND_BYS[0])] == [1, 2]


def test_functions_that_no_kernel_has_are_not_found() -> None:
    """Nor is one that a name's beginning has; one that all have is."""
    absent, there = function_ids(["bpf_prog_pu", "bpf_prog_put"])
    assert absent == 0
    assert there > 0


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Give probes with their stand-bys, on whatever kernel has the functions."""
    with Host() as host, Scope() as scope:
        host.edit(CHECKOUT / "sensor/daemon/turns.py", "_PREEMPTIBLE in types", "bool(types)")
        loaded = Loaded(host, scope, copied("echo", tmp_path_factory.mktemp("tool")))
        assert loaded.load().status == 0
        yield loaded


def told(loaded: Loaded, pins: Pins) -> tuple[list[type[Fact]], int]:
    """Run a tool; give what is told of it, and how often a stand-by was run meanwhile."""
    facts: list[Fact] = []
    probing = Probing(pins, facts.append)
    probing.teach(catalogue())
    probing.read()
    lost = pins.map("lost")
    before = list(lost.sums(len(probe.LOST)))[-1]
    pid = loaded.run_tool()
    probing.read()
    probing.ring.close()
    made_up = list(lost.sums(len(probe.LOST)))[-1] - before
    of_it = [one for one in facts if isinstance(one, Exec | Exit) and one.process.pid == pid]
    return [type(one) for one in of_it], made_up


def test_who_was_seen_is_not_seen_again(standing: Loaded) -> None:
    """A stand-by is run each time, and finds that there is nothing to do."""
    seen, made_up = told(standing, standing.pins)
    assert seen == [Exec, Exit]
    assert made_up <= AMID


def test_a_stand_by_sees_what_the_first_was_not_run_for(standing: Loaded) -> None:
    """As if it were the first, and once; how often is counted."""
    pins = standing.pins  # once: what is gone would be loaded again
    assert pins.attached() >= {one.name for one in Turns(PREEMPTIBLE).stand_bys}
    for one in PROGRAMS:
        if one.required:
            (pins.folder / one.pin).unlink()
    seen, made_up = told(standing, pins)
    assert seen == ([Exec, Exit] if Turns(PREEMPTIBLE).stand_bys else [])
    assert made_up >= len(seen)
