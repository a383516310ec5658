# SPDX-License-Identifier: Apache-2.0
"""What the deputy does for each order, within the bounds of its instance.

It attaches programs that the instance's loader has pinned and no others, and touches
processes and sockets that lie in the instance's scope and no others.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from sensor.edge import canary, capabilities, libbpf, pidfd, proc, sockdiag_destroy, terminal
from sensor.edge.host import LocalHost
from sensor.errors import NotPermittedError, SensorError
from sensor.wire import diagnostics
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
from sensor.wire.programs import ON_DEMAND, Hook
from sensor.wire.reports import OPEN_MOST, OpenSocket, Outcome, Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from sensor.core.facts import Address, Process
    from sensor.edge.sockdiag_destroy import Sockets
    from sensor.wire.diagnostics import Found
    from sensor.wire.orders import Order

_PROTOCOLS = {Protocol.TCP: diagnostics.TCP, Protocol.UDP: diagnostics.UDP}
_INIT = 1
_ANY = {4: (IPv4Address(0), IPv6Address(0)), 6: (IPv6Address(0),)}
"""Who listens at this IPv6 address mostly takes IPv4 too."""


class Duties:
    """Carries out orders for one instance; ``spared`` are pids that are never ended."""

    def __init__(self, *, pins: Path, scope: Path, top: Path, spared: frozenset[int]) -> None:
        self._pins = pins
        self._scope = scope
        self._top = top
        self._spared = spared | {_INIT, os.getpid()}
        self._host = LocalHost(top)

    def carry_out(self, number: int, order: Order) -> Report:
        """Do what is asked. Whatever goes wrong is in the report."""
        try:
            return self._done(number, order)
        except NotPermittedError as problem:
            return Report(number, Outcome.REFUSED, str(problem))
        except (SensorError, OSError) as problem:
            return Report(number, Outcome.FAILED, str(problem))

    def _done(self, number: int, order: Order) -> Report:
        outcome, detail, owner = Outcome.DONE, "", None
        sockets: tuple[OpenSocket, ...] = ()
        match order:
            case Attach(program):
                detail = self._attach(program)
            case Detach(program):
                outcome = self._detach(program)
            case Destroy():
                outcome, owner = self._destroy(order)
            case Kill(process):
                outcome = self._kill(process)
            case Notify():
                self._notify(order)
            case Prove(cgroup, program):
                detail = self._prove(Path(cgroup), Path(program))
            case ListOpen():
                sockets, detail = self._open(order)
            case _:
                assert_never(order)
        return Report(number, outcome, detail, owner, sockets)

    def _attach(self, name: str) -> str:
        hook = _hook(name)
        pin = self._pins / f"link_{name}"
        if pin.exists():
            return "was attached"
        program = libbpf.open_pin(str(self._pins / f"prog_{name}"))
        try:
            link = self._linked(program, hook)
        finally:
            os.close(program)
        try:
            if not libbpf.program_of(link):
                raise SensorError(f"{name} attached, but the kernel does not list it")
            libbpf.pin(link, str(pin))
        finally:
            os.close(link)
        return ""

    def _linked(self, program: int, hook: Hook) -> int:
        if hook.attach_type is None or hook is Hook.LSM:
            return libbpf.attach_raw_tracepoint(program, None)
        cgroup = os.open(self._scope, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return libbpf.attach_cgroup(program, cgroup, hook.attach_type)
        finally:
            os.close(cgroup)

    def _detach(self, name: str) -> Outcome:
        _hook(name)
        try:
            (self._pins / f"link_{name}").unlink()
        except FileNotFoundError:
            return Outcome.GONE
        return Outcome.DONE

    def _destroy(self, order: Destroy) -> tuple[Outcome, Process | None]:
        for namespace in self._namespaces(order.process):
            with ExitStack() as stack:
                try:
                    sockets = stack.enter_context(sockdiag_destroy.network_of(namespace))
                except SensorError:  # its process has ended meanwhile
                    continue
                found = _find(sockets, order)
                if found is None:
                    continue
                if not self._is_ours(found, order.process):
                    raise NotPermittedError("it is a socket outside the scope; left alone")
                done = sockets.destroy(found, _PROTOCOLS[order.protocol])
                outcome = Outcome.DONE if done else Outcome.GONE
                return outcome, order.process or self._owner(found.inode)
        return Outcome.GONE, None

    def _open(self, order: ListOpen) -> tuple[tuple[OpenSocket, ...], str]:
        """List what processes of the scope have connected, and say what cannot be listed."""
        ours = [one for one in order.processes if proc.lives(one) and self._is_in_scope(one.pid)]
        owners = {inode: process for process in ours for inode in proc.sockets(process.pid)}
        networks = {proc.network_namespace(process.pid): process for process in reversed(ours)}
        found: list[OpenSocket] = []
        wrong: dict[str, None] = {}
        for process in networks.values():
            with ExitStack() as stack:
                try:
                    there = sockdiag_destroy.network_of(f"/proc/{process.pid}/ns/net")
                    sockets = stack.enter_context(there)
                except SensorError as problem:
                    if proc.lives(process):
                        wrong[str(problem)] = None
                    continue
                found += _connected(sockets, owners, wrong)
        found = sorted((one for one in found if one.cookie > order.after), key=_cookie)
        return tuple(found[:OPEN_MOST]), "; ".join(wrong)

    def _namespaces(self, process: Process | None) -> Iterator[str]:
        """Give where the socket may be: the process's network, else each one in the scope."""
        seen: set[str] = set()
        known = [process] if process and proc.lives(process) else []
        for one in known or (entry.process for entry in proc.entries(self._scope, top=self._top)):
            name = proc.network_namespace(one.pid)
            if name is not None and name not in seen:
                seen.add(name)
                yield f"/proc/{one.pid}/ns/net"

    def _is_ours(self, found: Found, process: Process | None) -> bool:
        """Tell whether a socket is the scope's: made in it, or open in a process of it."""
        if self._scope == self._top:
            return True
        if found.cgroup_id is not None and (path := self._host.cgroup(found.cgroup_id)):
            place = self._top / path.lstrip("/")
            if place.is_relative_to(self._scope):
                return True
        if process and self._is_in_scope(process.pid) and found.inode in proc.sockets(process.pid):
            return True
        return self._owner(found.inode) is not None

    def _owner(self, inode: int) -> Process | None:
        """Find who in the scope has a socket open."""
        for entry in proc.entries(self._scope, top=self._top):
            if inode in proc.sockets(entry.process.pid):
                return entry.process
        return None

    def _is_in_scope(self, pid: int) -> bool:
        try:
            path = proc.cgroup(pid)
        except OSError:
            return False
        return path is not None and (self._top / path.lstrip("/")).is_relative_to(self._scope)

    def _kill(self, process: Process) -> Outcome:
        if process.pid in self._spared:
            raise NotPermittedError(f"process {process.pid} is never ended by the sensor")
        if proc.lives(process) and not self._is_in_scope(process.pid):
            raise NotPermittedError(f"process {process.pid} is outside the scope; not ended")

        def is_it() -> bool:
            return proc.lives(process) and self._is_in_scope(process.pid)

        return Outcome.DONE if pidfd.kill(process.pid, is_it=is_it) else Outcome.GONE

    def _notify(self, order: Notify) -> None:
        """Show a line. Of a process that has ended, the shell that started it has the terminal."""
        if proc.lives(order.process):
            terminal.show(order.process.pid, order.tty, order.text, owners=order.owners)
            return
        for entry in proc.entries(self._scope, top=self._top):
            if entry.tty == order.tty:
                terminal.show(entry.process.pid, order.tty, order.text, owners=order.owners)
                return
        raise SensorError(f"{order.tty}: nobody in the scope has this terminal; not told")

    def _prove(self, cgroup: Path, program: Path) -> str:
        """Try what is to be refused; gives the ways that were, like ``exec:lsm connect``."""
        if not cgroup.is_relative_to(self._scope) or ".." in cgroup.parts:
            raise NotPermittedError(f"{cgroup} is outside the scope")
        tried = canary.tempt(cgroup, program, give_up=capabilities.give_up)
        if tried.problem:
            raise SensorError(tried.problem)
        ways = [f"exec:{tried.execution}"] if tried.execution else []
        ways += ["connect"] if tried.connection else []
        return " ".join(ways)


def _connected(
    sockets: Sockets, owners: Mapping[int, Process], wrong: dict[str, None]
) -> Iterator[OpenSocket]:
    """Give what those who own these inodes have connected, and not what others did to them."""
    for protocol, number in _PROTOCOLS.items():
        try:
            listening = sockets.listeners() if protocol is Protocol.TCP else set()
            for one in sockets.connected(number):
                owner = owners.get(one.inode)
                if owner and not _is_accepted(one, listening):
                    yield OpenSocket(owner, one.cookie, protocol, one.remote)
        except SensorError as problem:
            wrong[str(problem)] = None


def _is_accepted(one: Found, listening: AbstractSet[tuple[Address, int]]) -> bool:
    """Tell whether somebody listens where a connection ends here, at its address or at all."""
    address, port = one.local
    return any((place, port) in listening for place in (address, *_ANY[address.version]))


def _cookie(one: OpenSocket) -> int:
    return one.cookie


def _hook(name: str) -> Hook:
    for program in ON_DEMAND:
        if program.name == name:
            return program.hook
    raise NotPermittedError(f"{name!a} is not attached on demand")


def _find(sockets: Sockets, order: Destroy) -> Found | None:
    protocol = _PROTOCOLS[order.protocol]
    if order.local and order.protocol is Protocol.TCP:
        found = sockets.between(order.local, order.remote, protocol, order.cookie)
        if found:
            return found
    # A datagram socket need not be connected: it has no port to be found by then.
    port = order.remote[1] if order.protocol is Protocol.TCP else 0
    return sockets.by_cookie(order.cookie, protocol, remote_port=port)
