# SPDX-License-Identifier: Apache-2.0
"""What is missed as somebody else's run of a program has not ended is seen by a stand-by."""

from __future__ import annotations

import json
import struct
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.drivers import Drivers
from support.host import CHECKOUT, Host
from support.loading import Loaded
from support.network import Network
from support.patience import SOON_S
from support.scope import Scope

from sensor.core.facts import Close, Connect, Exec, Exit
from sensor.daemon.catalogues import catalogue
from sensor.daemon.instance import Pins
from sensor.daemon.probing import Probing
from sensor.daemon.turns import Turns
from sensor.edge.libbpf_programs import function_ids
from sensor.wire import probe
from sensor.wire.code import CALLS, TURN_CALL
from sensor.wire.programs import PROGRAMS, STAND_BYS, STAND_BYS_OF_INTERRUPTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scope import Argument

    from sensor.core.facts import Fact

pytestmark = pytest.mark.kernel

PREEMPTIBLE = b"\0class_srcu_fast_notrace_t\0"
ALL = struct.pack("<BBhi", 0x85, 0, 0, TURN_CALL) + b"".join(
    struct.pack("<BBhi", 0x85, 0, 0, number) for number in CALLS
)
AMID = 3
"""So many of the whole host's may really be left out meanwhile, where the kernel does that."""
ONCE = Counter[type["Fact"]]([Exec, Connect, Close, Exit])
MADE_UP = {"seen_exec": 2, "seen_fork": 0, "seen_exit": 1, "seen_state": 3}
"""How often of one run of a tool: it executes twice, into its network and as the tool."""
NEEDS_ALL = (CHECKOUT / "sensor/daemon/turns.py", "_PREEMPTIBLE in types", "bool(types)")

SOURCE = 4  # the bits of the source register, which says what is called


def calls(code: bytes) -> list[tuple[int, int]]:
    """Give what each instruction is, and whose function it calls."""
    return [
        (kind, registers >> SOURCE) for kind, registers, _, _ in struct.iter_unpack("<BBhi", code)
    ]


def test_a_kernel_whose_tasks_are_left_alone_in_tracepoints_gets_little() -> None:
    """Nothing in the place of what the programs call; a stand-by where interrupts come amid."""
    turns = Turns(b"\0of_another_kernel\0")
    assert turns.stand_bys == STAND_BYS_OF_INTERRUPTS
    assert turns.missing == {}
    assert calls(turns.linked(ALL, PROGRAMS[0])) == [(0xB7, 0)] + [(0x05, 0)] * len(CALLS)
    states = {one.name: one for one in (*PROGRAMS, *STAND_BYS)}
    named = ("seen_exec", "seen_state", "missed_state")
    assert [turns.linked(ALL, states[name])[4] for name in named] == [0, 1, 2]


def test_a_kernel_that_needs_it_gets_all_or_nothing() -> None:
    """Where one of the functions lacks, a stand-by could disturb whom it stands in for."""
    turns = Turns(PREEMPTIBLE)
    if not all(function_ids(CALLS.values())):
        assert turns.stand_bys == STAND_BYS_OF_INTERRUPTS
        assert turns.missing.keys() == {"missed_exec", "missed_fork", "missed_exit"}
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


@pytest.fixture(scope="module", params=[False, True], ids=["as it is", "made to need all"])
def standing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loaded]:
    """Give probes with the stand-bys of this kernel, or with all, where it has the functions."""
    with Host() as host, Scope() as scope:
        if request.param:
            host.edit(*NEEDS_ALL)
        loaded = Loaded(host, scope, Drivers(tmp_path_factory.mktemp("tool")).tool("threads"))
        assert loaded.load().status == 0
        yield loaded


def told(loaded: Loaded, pins: Pins) -> tuple[Counter[type[Fact]], int]:
    """Have a tool connect; give what is told of it, and how often a stand-by was run meanwhile."""
    facts: list[Fact] = []
    probing = Probing(pins, facts.append)
    probing.teach(catalogue())
    probing.read()
    lost = pins.map("lost")
    with Network() as network:
        tool: list[Argument] = [loaded.tool, "1", "127.0.0.1", str(network.tcp_port)]
        before = list(lost.sums(len(probe.LOST)))[-1]
        process = loaded.scope.run(network.entered(*tool))
        assert process.wait(SOON_S) == 0
        deadline = time.monotonic() + SOON_S
        # The kernel may close a connection after the process has ended.
        while not any(isinstance(one, Close) for one in facts):
            assert time.monotonic() < deadline
            probing.read()
    probing.ring.close()
    made_up = list(lost.sums(len(probe.LOST)))[-1] - before
    told = [one for one in facts if isinstance(one, Exec | Connect | Close | Exit)]
    return Counter(type(one) for one in told if one.process.pid == process.pid), made_up


def test_who_was_seen_is_not_seen_again(standing: Loaded) -> None:
    """A stand-by is run each time, and finds that there is nothing to do."""
    seen, made_up = told(standing, standing.pins)
    assert seen == ONCE
    assert made_up <= AMID


def test_a_stand_by_sees_what_the_first_was_not_run_for(standing: Loaded) -> None:
    """As if it were the first, and once; how often is counted."""
    pins = standing.pins  # once: what is gone would be loaded again
    stand_bys = [one for one in STAND_BYS if (pins.folder / one.pin).exists()]
    assert {*stand_bys} >= {*STAND_BYS_OF_INTERRUPTS}
    for one in stand_bys:
        (pins.folder / f"link_{one.source}").unlink()
    seen, made_up = told(standing, pins)
    assert seen == ONCE
    assert made_up >= sum(MADE_UP[one.source] for one in stand_bys)


def test_nothing_stands_behind_a_program_that_is_missing() -> None:
    """It would count each of its runs as one that the first was left out for."""
    with Host() as host, Scope() as scope:
        host.edit(
            CHECKOUT / "sensor/daemon/loader.py",
            "    with _closing(fd):\n",
            "    with _closing(fd):\n"
            '        if program.name == "seen_state":\n'
            '            raise SensorError("refused")\n',
        )
        said = host.sensor("load", "--json", f"--scope={scope.path}")
        assert said.status == 0, said.err
        answer = json.loads(said.out)
        assert answer["missing"]["seen_state"] == "refused"
        assert answer["missing"]["missed_state"] == "what it stands behind is missing"
        pins = Pins(host.seen(Path(answer["pins"])))
        assert not pins.attached() & {"seen_state", "missed_state"}


def test_a_stand_by_goes_with_what_somebody_took_away(standing: Loaded) -> None:
    """The next load detaches it."""
    pins = standing.pins
    (pins.folder / "link_seen_state").unlink(missing_ok=True)
    answer = json.loads(standing.load().out)
    assert answer["reused"]
    assert {"seen_state", "missed_state"} <= answer["missing"].keys()
    assert "missed_state" not in pins.attached()
