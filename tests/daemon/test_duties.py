# SPDX-License-Identifier: Apache-2.0
"""What the deputy does, and what it does not do, with real sockets, processes and programs."""

from __future__ import annotations

import os
import sys
from collections import Counter
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from support.bpf import EGRESS, SKB, make_program
from support.deputies import deputed, sleeping, started
from support.network import Network
from support.pins import mounted_bpffs, pinned
from support.scope import Scope, cgroup2_root

from sensor.core.facts import Process
from sensor.daemon.duties import Duties
from sensor.edge import canary, libbpf, proc, sockdiag_destroy
from sensor.edge.sockdiag_destroy import Sockets
from sensor.errors import NotPermittedError
from sensor.wire.orders import (
    Attach,
    Destroy,
    Detach,
    Kill,
    ListOpen,
    Notify,
    Protocol,
    Prove,
)
from sensor.wire.reports import Outcome, Report

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

pytestmark = pytest.mark.kernel

HELLO = "judge_hello"
READER = """
import socket, sys
one = socket.create_connection((sys.argv[1], int(sys.argv[2])))
print(int.from_bytes(one.getsockopt(socket.SOL_SOCKET, 57, 8), sys.byteorder), flush=True)
try:
    print(one.recv(1), flush=True)
except OSError as problem:
    print(problem.errno, flush=True)
sys.stdin.read()
"""


def reader(network: Network, scope: Scope | None) -> tuple[subprocess.Popen[bytes], Destroy]:
    """Start a process with a connection; give it, and the order to end that."""
    argv = [sys.executable, "-I", "-c", READER, "192.0.2.1", str(network.tcp_port)]
    process = started(network.entered(*argv), scope)
    assert process.stdout
    order = Destroy(
        cookie=int(process.stdout.readline()),
        protocol=Protocol.TCP,
        remote=(ip_address("192.0.2.1"), network.tcp_port),
    )
    return process, order


def test_a_program_is_attached_and_taken_away_by_its_pin(tmp_path: Path) -> None:
    """Twice is no error, either way; the link is what keeps it attached."""
    with Scope() as scope, mounted_bpffs(tmp_path / "bpf") as pins, deputed(scope, pins) as deputy:
        program = make_program(SKB, EGRESS)
        libbpf.pin(program, str(pins / f"prog_{HELLO}"))
        os.close(program)
        assert deputy.ask(Attach(HELLO)) == Report(1, Outcome.DONE)
        assert pinned(pins) == [f"link_{HELLO}", f"prog_{HELLO}"]
        assert deputy.ask(Attach(HELLO)).detail == "was attached"
        assert deputy.ask(Detach(HELLO)).outcome is Outcome.DONE
        assert pinned(pins) == [f"prog_{HELLO}"]
        assert deputy.ask(Detach(HELLO)).outcome is Outcome.GONE


@pytest.mark.parametrize("name", ["seen_exec", "../x", "", "judge_hello/../x"])
def test_no_other_program_is_attached_or_taken_away(name: str, tmp_path: Path) -> None:
    """The list is closed."""
    with Scope() as scope, deputed(scope, tmp_path) as deputy:
        assert deputy.ask(Attach(name)).outcome is Outcome.REFUSED
        assert deputy.ask(Detach(name)).outcome is Outcome.REFUSED


def test_a_program_that_is_not_pinned_is_an_error(tmp_path: Path) -> None:
    """The sentence names the pin."""
    with Scope() as scope, deputed(scope, tmp_path) as deputy:
        report = deputy.ask(Attach(HELLO))
        assert report.outcome is Outcome.FAILED
        assert f"prog_{HELLO}" in report.detail


@pytest.mark.parametrize("known", [True, False])
def test_a_socket_of_the_scope_is_destroyed(known: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Also where nobody knows whose it is; then that is found out."""
    with Network() as network, Scope() as scope, deputed(scope, tmp_path) as deputy:
        process, order = reader(network, scope)
        with process:
            owner = proc.entry(process.pid).process
            if known:
                order = Destroy(
                    cookie=order.cookie, protocol=order.protocol, remote=order.remote, process=owner
                )
            report = deputy.ask(order)
            assert (report.outcome, report.owner) == (Outcome.DONE, owner)
            assert process.stdout
            assert process.stdout.readline() == b"103\n"
            assert deputy.ask(order).outcome is Outcome.GONE
            process.kill()


def test_a_socket_outside_the_scope_is_left_alone(tmp_path: Path) -> None:
    """Even where a process of the scope shares its network."""
    with Network() as network, Scope() as scope, deputed(scope, tmp_path) as deputy:
        process, order = reader(network, None)
        ours, _ = reader(network, scope)
        with process, ours:
            assert deputy.ask(order).outcome is Outcome.REFUSED
            stranger = proc.entry(process.pid).process
            named = Destroy(
                cookie=order.cookie, protocol=order.protocol, remote=order.remote, process=stranger
            )
            assert deputy.ask(named).outcome is Outcome.REFUSED
            process.kill()
            ours.kill()
            assert process.stdout
            assert process.stdout.read() == b""


def test_a_process_of_the_scope_is_killed(tmp_path: Path) -> None:
    """And is gone then."""
    with Scope() as scope, deputed(scope, tmp_path) as deputy, sleeping(scope) as process:
        order = Kill(proc.entry(process.pid).process)
        assert deputy.ask(order).outcome is Outcome.DONE
        assert process.wait(10) == -9
        assert deputy.ask(order).outcome is Outcome.GONE


def test_no_other_process_is_killed(tmp_path: Path) -> None:
    """Not one outside, not one with the same pid at another time, not the sensor's own."""
    with (
        Scope() as scope,
        deputed(scope, tmp_path) as deputy,
        sleeping() as outside,
        sleeping(scope) as inside,
    ):
        one = proc.entry(inside.pid).process
        earlier = Process(one.pid, one.started_ns - 1_000_000_000)
        assert deputy.ask(Kill(proc.entry(outside.pid).process)).outcome is Outcome.REFUSED
        assert deputy.ask(Kill(earlier)).outcome is Outcome.GONE
        for pid in 1, os.getpid(), int(str(deputy.state()["pid"])):
            report = deputy.ask(Kill(proc.entry(pid).process))
            assert "never ended by the sensor" in report.detail
        assert (outside.poll(), inside.poll()) == (None, None)


def test_the_terminal_is_told_where_the_process_is_gone(tmp_path: Path) -> None:
    """A tool that was killed had the terminal of the shell that started it."""
    ours, theirs = os.openpty()
    os.fchmod(theirs, 0o620)
    os.set_blocking(ours, True)  # the call's own interface
    argv = ["setsid", "--ctty", "sh", "-c", "stty -opost; echo; exec sleep 60"]
    with Scope() as scope, deputed(scope, tmp_path) as deputy:
        shell = scope.run(argv, stdin=theirs, stdout=theirs)
        assert os.read(ours, 1)
        tty = os.ttyname(theirs).removeprefix("/dev/")
        for process in Process(4194303, 1), proc.entry(shell.pid).process:
            order = Notify(process=process, tty=tty, owners=(0,), text="not approved here")
            assert deputy.ask(order) == Report(deputy.ask(order).number - 1, Outcome.DONE)
            assert os.read(ours, 4096).count(b"not approved here") in {1, 2}
        shell.kill()
        shell.wait()
        assert "nobody in the scope" in deputy.ask(order).detail
    os.close(ours)
    os.close(theirs)


def test_a_proof_says_what_was_refused(tmp_path: Path) -> None:
    """Nothing, where nothing refuses; nothing is tried outside the scope."""
    with Scope() as scope, deputed(scope, tmp_path) as deputy:
        cgroup, program = scope.path / "canary", canary.program(tmp_path)
        assert "its cgroup" in deputy.ask(Prove(str(cgroup), str(program))).detail
        canary.settle(cgroup)
        report = deputy.ask(Prove(str(cgroup), str(program)))
        assert (report.outcome, report.detail) == (Outcome.DONE, "")
        for place in scope.path.parent, scope.path / ".." / "x":
            assert deputy.ask(Prove(str(place), str(program))).outcome is Outcome.REFUSED


CONNECTED = """
import socket, sys
kept = []
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    one = socket.socket(type=kind)
    one.connect(("192.0.2.1", int(sys.argv[1] if kind == socket.SOCK_STREAM else sys.argv[2])))
    kept.append(one)
kept.append(socket.socket(type=socket.SOCK_DGRAM))
for family, host in (socket.AF_INET, "127.0.0.1"), (socket.AF_INET, ""), (socket.AF_INET6, ""):
    dual = family == socket.AF_INET6
    server = socket.create_server((host, 0), family=family, dualstack_ipv6=dual)
    port = server.getsockname()[1]
    one = socket.create_connection(("127.0.0.1", port))
    kept += [server, one, server.accept()[0]]
    print(port, end=" ")
# Who listens elsewhere at a port can connect from it.
kept.append(socket.create_server(("127.0.0.2", 0)))
own = kept[-1].getsockname()[1]
local = ("192.0.2.1", own)
kept.append(socket.create_connection(("192.0.2.1", int(sys.argv[1])), source_address=local))
print(flush=True)
sys.stdin.read()
"""


def test_what_a_process_has_connected_is_listed(tmp_path: Path) -> None:
    """By cookie; not what it accepted, nor what others have, inside the scope or outside."""
    with Network() as network, Scope() as scope, deputed(scope, tmp_path) as deputy:
        ports = str(network.tcp_port), str(network.udp_port)
        argv = network.entered(sys.executable, "-I", "-c", CONNECTED, *ports)
        with started(argv, scope) as ours, started(argv, None) as outside, sleeping(scope) as idle:
            assert ours.stdout
            assert outside.stdout
            servers = [int(port) for port in ours.stdout.readline().split()]
            outside.stdout.readline()
            one, other, none = (proc.entry(p.pid).process for p in (ours, outside, idle))
            report = deputy.ask(ListOpen((one, other, none)))
            assert (report.outcome, report.detail) == (Outcome.DONE, "")
            found = [(s.process, s.protocol, str(s.remote[0]), s.remote[1]) for s in report.sockets]
            assert Counter(found) == {
                (one, Protocol.TCP, "192.0.2.1", network.tcp_port): 2,
                (one, Protocol.UDP, "192.0.2.1", network.udp_port): 1,
                **{(one, Protocol.TCP, "127.0.0.1", port): 1 for port in servers},
            }
            cookies = [socket.cookie for socket in report.sockets]
            assert cookies == sorted(cookies)
            rest = deputy.ask(ListOpen((one,), cookies[0]))
            assert rest.sockets == report.sockets[1:]
            assert deputy.ask(ListOpen((none,))).sockets == ()
            ours.kill()
            outside.kill()
        assert deputy.ask(ListOpen((one,))).sockets == ()


@pytest.mark.parametrize("place", [Sockets, sockdiag_destroy])
def test_what_cannot_be_listed_is_told(
    place: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a kernel that does not answer nor a network that cannot be entered is nothing."""

    def fails(*_given: object) -> None:
        raise NotPermittedError("no such right")

    monkeypatch.setattr(place, "connected" if place is Sockets else "_enter", fails)
    with Scope() as scope, sleeping(scope) as process:
        duties = Duties(pins=tmp_path, scope=scope.path, top=cgroup2_root(), spared=frozenset())
        asked = ListOpen((proc.entry(process.pid).process,))
        assert duties.carry_out(1, asked) == Report(1, Outcome.DONE, "no such right")
        process.kill()
        process.wait()
        assert duties.carry_out(2, asked) == Report(2, Outcome.DONE)
