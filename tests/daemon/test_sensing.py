# SPDX-License-Identifier: Apache-2.0
"""Probes and engine together: whom the kernel follows, and whose end it could not tell."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import time
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from support.bpf import possible_cpus
from support.deputies import children, sleeping
from support.host import CHECKOUT, Host, copied
from support.in_force import enforced
from support.loading import Loaded
from support.patience import is_readable
from support.scope import Scope, cgroup2_root

from sensor.core.engine import Engine
from sensor.core.event import Kind
from sensor.core.facts import Connect, Process, Transport
from sensor.core.judgment import WAS_OVER
from sensor.core.words import Enforcement, Verdict
from sensor.daemon.catalogues import catalogue
from sensor.daemon.members import Members
from sensor.daemon.sensing import Sensing
from sensor.edge import proc
from sensor.edge.host import LocalHost
from sensor.wire import probe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sensor.core.event import Event

pytestmark = pytest.mark.kernel

# So many, that some have ended before the sensor has read of their beginning.
TIMES = 23


@pytest.fixture
def told() -> list[Event]:
    """Give the list that events go to."""
    return []


@pytest.fixture
def sensing(loaded: Loaded, told: list[Event]) -> Iterator[Sensing]:
    """Give a sensor that nobody has read from yet."""
    known = catalogue()
    sensing = Sensing(loaded.pins, Engine(known, LocalHost(cgroup2_root())), tell=told.append)
    sensing.probing.teach(known)
    sensing.drain()
    told.clear()
    yield sensing
    sensing.probing.ring.close()


@contextmanager
def reader(loaded: Loaded) -> Iterator[subprocess.Popen[bytes]]:
    """Have a tool that runs until it is ended."""
    tool = copied("cat", loaded.tool.parent / "reader")
    with loaded.scope.run([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.read(1) == b"\n"
        yield process


def test_a_tool_within_a_tool_that_has_ended_is_not_followed(
    loaded: Loaded, sensing: Sensing, told: list[Event]
) -> None:
    """By the time that the sensor reads of it, its pid may be somebody else's."""
    outer = copied("bash", loaded.tool.parent / "outer", name="codex")
    script = f"for i in {{1..{TIMES}}}; do {loaded.tool}; done; exit"
    assert loaded.scope.run([outer, "-c", script], stdout=subprocess.DEVNULL).wait(30) == 0
    sensing.drain()
    assert sum(event.kind is Kind.SESSION_END for event in told) >= TIMES
    assert list(sensing.probing.members.all()) == []
    assert sensing.engine.members == 0


def test_a_session_whose_end_was_lost_ends_when_the_loss_is_told(
    loaded: Loaded, sensing: Sensing, told: list[Event]
) -> None:
    """Its last process is neither followed nor alive, and nothing more comes of it."""
    with reader(loaded) as process:
        sensing.drain()
        assert sensing.engine.members == 1
        # As if there had been no room for the record of its end.
        sensing.probing.members.release(sensing.engine.processes()[0])
        process.kill()
    _lose(loaded, "exit")
    sensing.read()
    assert sensing.engine.sessions == 0
    assert [event.kind for event in told[-3:]] == [Kind.LOSS, Kind.EXIT, Kind.SESSION_END]
    assert told[-2].process
    assert told[-2].process.status is None


def test_who_lives_is_not_ended_by_a_loss(
    loaded: Loaded, sensing: Sensing, told: list[Event]
) -> None:
    """The end that was lost was another one's."""
    with reader(loaded) as process:
        sensing.drain()
        _lose(loaded, "exit")
        sensing.read()
        assert sensing.engine.members == 1
        process.kill()
    sensing.drain()
    assert told[-1].kind is Kind.SESSION_END


def test_who_has_ended_is_not_taken_in_for_what_it_had_open(
    loaded: Loaded, sensing: Sensing, told: list[Event]
) -> None:
    """It was listed while it ran; its end was told before the list came, and is not again."""
    with reader(loaded) as process:
        sensing.drain()
        [root] = sensing.engine.processes()
        for owner in Process(2**22 + 1, root.started_ns), root:
            sensing.found_open(connected(owner, root, cookie=owner.pid))
        assert sensing.engine.processes() == (root,)
        assert [
            event.process.pid for event in told if event.kind is Kind.CONNECT if event.process
        ] == [root.pid]
        process.kill()
    sensing.drain()
    assert told[-1].kind is Kind.SESSION_END


def connected(owner: Process, root: Process, *, cookie: int) -> Connect:
    """Say that a process of a session has a connection open."""
    return Connect(
        at_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME), process=owner, root=root, uid=0,
        cookie=cookie, address=ip_address("192.0.2.1"), port=443, transport=Transport.TCP,
        late=True,
    )  # fmt: skip


def test_what_a_killed_sensor_left_behind_is_released(loaded: Loaded, sensing: Sensing) -> None:
    """It had the kernel follow a process that ended, and was killed before it saw that."""
    gone = Process(2**22 + 1, 1_000_000_000)
    Members(loaded.pins, lives=lambda _: True).follow(gone, gone)
    sensing.take_over(loaded.scope.path, top=cgroup2_root())
    assert list(sensing.probing.members.all()) == []


@pytest.mark.parametrize("at_start", [False, True])
def test_whose_image_was_lost_is_let_go_or_begins_its_session(
    loaded: Loaded, sensing: Sensing, *, at_start: bool
) -> None:
    """What a broker started would be followed for ever, and what it starts; a tool is found."""
    place, top = loaded.scope.path, cgroup2_root()
    if not at_start:
        sensing.reconcile(place, top=top)
    members = sensing.probing.members
    with reader(loaded) as process, sleeping(loaded.scope) as brokered:
        engine = Engine(catalogue(), LocalHost(cgroup2_root()))
        taker = Sensing(loaded.pins, engine, tell=lambda _: None)
        taker.drain()  # of what this one is to miss
        assert engine.members == 1
        taker.probing.ring.close()
        other = proc.entry(brokered.pid).process
        assert members.follow(other, other)
        assert list(members.unsure()) == [other]
        if at_start:
            sensing.take_over(place, top=top)
            sensing.reconcile(place, top=top)
        else:
            _lose(loaded, "exec")

        def is_let_go() -> bool:
            sensing.read()
            return members.find(other.pid) is None

        poll(is_let_go)
        assert [one.pid for one in sensing.engine.processes()] == [process.pid]
        assert list(dict(members.all())) == list(sensing.engine.processes())
        process.kill()
    sensing.drain()
    assert sensing.engine.members == 0


def _lose(loaded: Loaded, what: str) -> None:
    """Count one more loss, as the probes do."""
    lost = loaded.pins.map("lost")
    slot = probe.LOST.index(what)
    count = struct.pack("=Q", list(lost.sums(len(probe.LOST)))[slot] + 1)
    lost.update(struct.pack("=I", slot), count + bytes(8 * possible_cpus() - len(count)))


KILL = (
    'mode = "enforce"\n[[rule]]\nid = "no"\ntools = ["claude-code"]\nverdict = "block"\n'
    'running = "kill"\n'
)


def test_who_ends_while_it_is_looked_at_is_not_said_to_be_ended(
    loaded: Loaded, told: list[Event]
) -> None:
    """Its end is in the ring by the time that the look is taken, and is read first."""
    known = catalogue()
    engine = Engine(known, LocalHost(cgroup2_root()), looks=True)
    list(engine.policy(enforced(KILL), at_ns=1))
    sensing = Sensing(loaded.pins, engine, tell=told.append)  # nobody acts: it ends by itself
    sensing.probing.teach(known)
    sensing.drain()
    told.clear()
    sensing.looking.begin()
    tool = copied("cat", loaded.tool.parent / "ending")

    def was_looked_at() -> bool:
        sensing.read()
        return is_readable(sensing.looking, 0)

    with loaded.scope.run([tool], stdin=subprocess.PIPE) as process:
        poll(was_looked_at)
        assert process.stdin
        process.stdin.close()
        assert process.wait() == 0
        assert told == []
        sensing.look()
    sensing.looking.close()
    sensing.probing.ring.close()
    [run] = [event for event in told if event.kind is Kind.EXEC]
    assert run.process
    assert (run.process.pid, run.verdict) == (process.pid, Verdict.BLOCK)
    assert (run.enforcement, run.reason) == (Enforcement.NONE, WAS_OVER)
    assert [event.kind for event in told][-2:] == [Kind.EXIT, Kind.SESSION_END]


# Followed are the shell and what it starts first; the subshell and its child come too late.
CROWD = """
exec 3<&0
cat <&3 & cat <&3 &
(cat <&3; true) &
echo; wait
"""


def test_whoever_there_was_no_room_for_is_followed_once_there_is(tmp_path: Path) -> None:
    """With what they have started meanwhile; and they end with their session."""
    told: list[Event] = []
    known = catalogue()
    top = cgroup2_root()
    with Host() as host, Scope() as scope:
        host.edit(CHECKOUT / "probes/members.c", "#define MEMBERS 32768", "#define MEMBERS 3")
        loaded = Loaded(host, scope, copied("bash", tmp_path))
        sensing = Sensing(loaded.pins, Engine(known, LocalHost(top)), tell=told.append)
        sensing.probing.teach(known)
        sensing.reconcile(scope.path, top=top)
        argv: list[str | bytes | Path] = [loaded.tool, "-c", CROWD]
        with scope.run(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tool:
            assert tool.stdout
            assert tool.stdout.readline() == b"\n"
            poll(lambda: len(scope.procs()) == 5)
            sensing.read()
            assert sensing.engine.members == 4
            assert len(dict(sensing.probing.members.all())) == 3
            assert [event.loss for event in told if event.loss] == [("member", 1)]
            first, second, *_ = children(tool.pid)
            for pid in first, second:
                os.kill(pid, signal.SIGKILL)

            def are_all_followed() -> bool:
                sensing.read()
                followed = {one.pid for one in dict(sensing.probing.members.all())}
                return followed == {tool.pid, *scope.procs()} and len(followed) == 3

            poll(are_all_followed)
            assert {one.pid for one in sensing.engine.processes()} == set(scope.procs())
            for pid in scope.procs():
                os.kill(pid, signal.SIGKILL)

        def are_all_gone() -> bool:
            sensing.read()
            return sensing.engine.members == 0

        poll(are_all_gone)
        assert dict(sensing.probing.members.all()) == {}
        sensing.probing.ring.close()


def poll(is_so: Callable[[], bool]) -> None:
    """Ask again and again."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
