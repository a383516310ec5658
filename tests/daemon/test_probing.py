# SPDX-License-Identifier: Apache-2.0
"""Loaded probes as the sensor uses them: facts come out of the kernel, actions go in."""

from __future__ import annotations

import ipaddress
import os
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.bpf import possible_cpus
from support.host import CHECKOUT, Host, copied
from support.loading import Loaded
from support.scope import Scope

from sensor.core.actions import Follow, Release
from sensor.core.facts import Connect, Damaged, Exec, Exit, Loss, Process, Transport
from sensor.daemon import probing as loading
from sensor.daemon.catalogues import catalogue
from sensor.daemon.instance import COMPILING, Pins
from sensor.daemon.instance import Loaded as WasLoaded
from sensor.daemon.probing import Probing, command, run_loader
from sensor.edge import proc
from sensor.errors import ExitCode, SensorError
from sensor.wire import probe, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.facts import Fact

# More than the kernel's largest pid: nobody else's entry is touched.
FORMER, LATTER = Process(2**22 + 1, 1_000_000_000), Process(2**22 + 1, 2_000_000_000)


@pytest.fixture
def facts() -> list[Fact]:
    """Give the list that facts go to."""
    return []


@pytest.fixture
def probing(loaded: Loaded, facts: list[Fact]) -> Iterator[Probing]:
    """Give probes that have been taught the catalogue, and whose ring is empty."""
    probing = Probing(loaded.pins, facts.append)
    probing.teach(catalogue())
    probing.read()
    facts.clear()
    yield probing
    probing.ring.close()


def test_the_sensor_is_run_again_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with a package of the same name, even in PYTHONPATH, is never run as root."""
    (tmp_path / "sensor").mkdir()
    for name in ("__init__.py", "__main__.py"):
        (tmp_path / "sensor" / name).write_text("raise SystemExit('hostile')", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    said = subprocess.run(
        command("--version"), cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert said.stdout.startswith("agent-sensor")


def test_the_loaders_sentence_and_code_are_passed_on(tmp_path: Path) -> None:
    """As if no process had been in between."""
    with pytest.raises(SensorError) as caught:
        run_loader(bpffs=tmp_path, run_dir=tmp_path, scope=Path("/proc"))
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert str(caught.value).startswith("--scope /proc: ")


@pytest.mark.parametrize("does", ["while [ ! -e {done} ]; do :; done", "sleep 2"])
def test_a_loader_is_said_to_work_while_it_does(
    does: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that sleeps is not, but for its first moments: nobody is to wait longer for it."""
    said = '{"pins": "/pins", "reused": true, "missing": {}}'
    done, calls = tmp_path / "done", 0
    script = f"{does.format(done=done)}; echo '{said}'"
    monkeypatch.setattr(loading, "command", lambda *_: ["/bin/sh", "-c", script])
    monkeypatch.setattr(loading, "LOOK_EVERY_S", 0.2)

    def works() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            done.touch()

    loaded = run_loader(bpffs=tmp_path, run_dir=tmp_path, scope=tmp_path, works=works)
    assert loaded == WasLoaded(Path("/pins"), reused=True, missing={})
    if does.startswith("while"):
        assert calls >= 3
    else:
        assert calls <= 1


def test_a_compile_is_said_while_it_is_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and not what else the compiler says."""
    heard, go_on = [], tmp_path / "go-on"
    script = f"""echo "a warning" >&2; echo "{COMPILING}, once" >&2; echo "another" >&2
        while [ ! -e {go_on} ]; do sleep 0.1; done; sleep 0.5
        echo '{{"pins": "/pins", "reused": false, "missing": {{}}}}'"""
    monkeypatch.setattr(loading, "command", lambda *_: ["/bin/sh", "-c", script])
    monkeypatch.setattr(loading, "HEAR_EVERY_S", 0.1)

    def say(line: str) -> None:
        heard.append(line)
        go_on.touch()  # it goes on once that was heard, and not before

    run_loader(bpffs=tmp_path, run_dir=tmp_path, scope=tmp_path, say=say)
    assert heard == [f"{COMPILING}, once"]


@pytest.mark.kernel
def test_a_tool_is_told_from_its_execution_to_its_end(
    loaded: Loaded, probing: Probing, facts: list[Fact]
) -> None:
    """The kernel knows it by what it was taught."""
    pid = loaded.run_tool("x")
    assert probing.read() == len(facts)
    first, *_, last = facts
    assert isinstance(first, Exec)
    assert isinstance(last, Exit)
    assert first.process == last.process
    assert first.process.pid == pid
    assert first.argv[1:] == ("x",)
    assert probing.members.find(pid) is None


@pytest.mark.kernel
def test_following_and_releasing_reach_the_kernel(probing: Probing) -> None:
    """It is one entry of the kernel's table."""
    own = proc.entry(os.getpid()).process
    probing.apply(Follow(own, LATTER))
    assert (own, LATTER) in set(probing.members.all())
    probing.apply(Release(own))
    assert probing.members.find(own.pid) is None


@pytest.mark.kernel
def test_losses_are_told_once_by_what_was_lost(
    loaded: Loaded, probing: Probing, facts: list[Fact]
) -> None:
    """The kernel only counts up; the sensor tells how far each counter has moved."""
    lost = loaded.pins.map("lost")
    slot = probe.LOST.index("connect")
    key = struct.pack("=I", slot)
    before = list(lost.sums(len(probe.LOST)))[slot]
    for more in (5, 7):
        count = struct.pack("=Q", before + more)
        lost.update(key, count + bytes(8 * possible_cpus() - len(count)))
        probing.read()
        probing.read()
    losses = [fact for fact in facts if isinstance(fact, Loss)]
    assert [(loss.what, loss.count) for loss in losses] == [("connect", 5), ("connect", 2)]
    assert probing.lost == 7


@pytest.mark.kernel
def test_an_open_connection_is_followed(loaded: Loaded, probing: Probing) -> None:
    """The kernel has its peer and its process, by the socket's cookie."""
    fact = Connect(
        at_ns=3,
        process=FORMER,
        root=LATTER,
        uid=0,
        cookie=2**63 + 1,
        address=ipaddress.IPv4Address("192.0.2.1"),
        port=443,
        transport=Transport.TCP,
        late=True,
    )
    probing.follow_connection(fact)
    flows = loaded.pins.map("flows")
    assert flows.lookup(tables.flow_key(fact.cookie), tables.FLOW.size) == tables.flow(fact)
    flows.delete(tables.flow_key(fact.cookie))


@pytest.mark.kernel
def test_a_record_of_another_shape_is_told_as_damaged(tmp_path: Path) -> None:
    """It stops nothing: what comes behind it is read."""
    facts: list[Fact] = []
    with Host() as host, Scope() as scope:
        host.edit(CHECKOUT / "probes/lineage.c", "pid, RECORD_EXIT,", "pid, 77,")
        loaded = Loaded(host, scope, copied("echo", tmp_path))
        probing = Probing(Pins(loaded.folder), facts.append)
        probing.teach(catalogue())
        pids = [loaded.run_tool(), loaded.run_tool()]
        assert probing.read() == len(facts)
        probing.ring.close()
    assert [fact.process.pid for fact in facts if isinstance(fact, Exec)] == pids
    damaged = [fact for fact in facts if isinstance(fact, Damaged)]
    assert len(damaged) == 2
    assert "77" in damaged[0].why


class Interrupted(Pins):
    """Pins of programs that were not run some times; ``times`` since they were loaded."""

    times = 0

    def programs(self) -> Interrupted:  # type: ignore[override]
        """Count for them."""
        return self

    def misses(self) -> int:
        """Give how often."""
        return self.times


@pytest.mark.kernel
def test_programs_that_were_not_run_are_told_once(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the kernel counts; another sensor goes on where this one ended."""
    facts: list[Fact] = []
    monkeypatch.setattr("sensor.daemon.probing._NS_PER_S", 0)
    pins = Interrupted(loaded.folder)
    probing = Probing(pins, facts.append)
    probing.read()
    facts.clear()
    for pins.times in 5, 5, 7:
        probing.read()
    probing.ring.close()
    again = Probing(pins, facts.append)
    again.read()
    again.ring.close()
    assert [(one.what, one.count) for one in facts if isinstance(one, Loss)] == [
        ("missed", 5), ("missed", 2),
    ]  # fmt: skip


@pytest.mark.kernel
def test_what_a_stand_by_made_up_for_is_not_told(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is told once is not taken back, and a stand-by that was run in vain hides nothing."""
    facts: list[Fact] = []
    monkeypatch.setattr("sensor.daemon.probing._NS_PER_S", 0)
    pins = Interrupted(loaded.folder)
    lost, slot = pins.map("lost"), probe.LOST.index("missed").to_bytes(4, "little")
    probing = Probing(pins, facts.append)
    before = pins.times = list(probing._counted)[-1]  # noqa: SLF001  # other tests tell too
    probing.read()
    facts.clear()
    late, in_vain = [(5, 5), (8, 6), (8, 7)], [(8, 8), (9, 8), (9, 8)]
    for missed, made_up in late + in_vain:
        pins.times = before + missed
        lost.update(slot, struct.pack("Q", made_up) + bytes(8 * (possible_cpus() - 1)))
        probing.read()
    lost.update(slot, bytes(8 * possible_cpus()))
    probing.ring.close()
    assert [(one.what, one.count) for one in facts if isinstance(one, Loss)] == [
        ("missed", 2), ("missed", 1),
    ]  # fmt: skip
