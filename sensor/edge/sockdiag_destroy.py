# SPDX-License-Identifier: Apache-2.0
"""Ends sockets from outside (SOCK_DESTROY): the program that has one sees ECONNABORTED at once.

pyroute2's DiagSocket neither destroys nor hears the kernel's refusals, and its
import takes longer than a refused program may be left hanging; so this speaks
netlink itself. Takes CAP_NET_ADMIN in the network namespace.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sensor.errors import NotPermittedError, SensorError, UnsupportedError
from sensor.wire import diagnostics
from sensor.wire.diagnostics import Ended, Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.facts import Address

_NETLINK_SOCK_DIAG = 4  # include/uapi/linux/netlink.h
_CLONE_NEWNET = 0x40000000  # include/uapi/linux/sched.h
_DATAGRAM_BYTES = 64 * 1024
_PATIENCE_S = 2.0
_OWN = "/proc/self/ns/net"
# What listing takes of a kernel, net/ipv4/inet_diag.c: inet_diag_lock_handler.
_LISTS = {
    diagnostics.TCP: ("cannot list TCP sockets", "CONFIG_INET_TCP_DIAG"),
    diagnostics.UDP: ("cannot list UDP sockets", "CONFIG_INET_UDP_DIAG"),
}


@contextmanager
def network_of(path: str) -> Iterator[Sockets]:
    """Give the sockets of the network namespace at ``path``, like /proc/PID/ns/net.

    This thread is there for the moment in which the socket is made, and back
    afterwards. Raises SensorError where the namespace cannot be entered.
    """
    home = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as problem:
        os.close(home)
        raise SensorError(f"{path}: {problem.strerror}; its process has ended") from problem
    try:
        _enter(there, path)
        try:
            netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG)
        finally:
            _enter(home, _OWN)
    finally:
        os.close(there)
        os.close(home)
    with netlink:
        netlink.settimeout(_PATIENCE_S)
        yield Sockets(netlink)


def _enter(namespace: int, path: str) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise NotPermittedError(f"cannot enter {path}: {os.strerror(number)}; it takes root")


class Sockets:
    """The TCP and UDP sockets of one network namespace."""

    def __init__(self, netlink: socket.socket) -> None:
        self._netlink = netlink

    def between(
        self, local: tuple[Address, int], remote: tuple[Address, int], protocol: int, cookie: int
    ) -> Found | None:
        """Find a socket by both addresses and its cookie; None where there is no such one."""
        asked = diagnostics.ask_one(local, remote, protocol, cookie)
        found, _ = self._ask(asked, "cannot look for a socket", missing_ok=True)
        return found[0] if found else None

    def by_cookie(self, cookie: int, protocol: int, *, remote_port: int = 0) -> Found | None:
        """Find a socket by its cookie alone, among all that have this remote port."""
        for family in diagnostics.AF_INET, diagnostics.AF_INET6:
            asked = diagnostics.ask_all(family, protocol, remote_port=remote_port)
            found, _ = self._ask(asked, "cannot list sockets")
            for one in found:
                if one.cookie == cookie:
                    return one
        return None

    def connected(self, protocol: int) -> Iterator[Found]:
        """List the sockets that can go on sending to the peer that they have.

        Raises UnsupportedError on a kernel that does not list those of this protocol.
        """
        for family in diagnostics.AF_INET, diagnostics.AF_INET6:
            asked = diagnostics.ask_connected(family, protocol)
            yield from self._listed(asked, protocol)

    def listeners(self) -> set[tuple[Address, int]]:
        """Give where others connect by TCP: what is local to them there was not made here."""
        places: set[tuple[Address, int]] = set()
        for family in diagnostics.AF_INET, diagnostics.AF_INET6:
            asked = diagnostics.ask_listening(family, diagnostics.TCP)
            places.update(one.local for one in self._listed(asked, diagnostics.TCP))
        return places

    def destroy(self, found: Found, protocol: int) -> bool:
        """End a socket. Returns False where it has ended meanwhile.

        Raises UnsupportedError on a kernel without CONFIG_INET_DIAG_DESTROY.
        """
        asked = diagnostics.destroy(found, protocol)
        _, error = self._ask(asked, "cannot destroy a socket", missing_ok=True)
        return error == 0

    def _listed(self, message: bytes, protocol: int) -> list[Found]:
        what, needs = _LISTS[protocol]
        return self._ask(message, what, needs=needs)[0]

    def _ask(
        self, message: bytes, what: str, *, missing_ok: bool = False, needs: str = ""
    ) -> tuple[list[Found], int]:
        """Send a request and read to the end of the answer. Returns the sockets, and an errno."""
        found: list[Found] = []
        try:
            self._netlink.send(message)
            while True:
                for answer in diagnostics.answers(self._netlink.recv(_DATAGRAM_BYTES)):
                    if isinstance(answer, Found):
                        found.append(answer)
                    else:
                        return found, _checked(answer, what, missing_ok=missing_ok, needs=needs)
        except OSError as problem:
            raise SensorError(f"{what}: {problem}; try again") from problem


def _checked(answer: Ended, what: str, *, missing_ok: bool, needs: str) -> int:
    if answer.error == 0 or (missing_ok and answer.error in {errno.ENOENT, errno.ESTALE}):
        return answer.error
    said = f"{what}: {os.strerror(answer.error)}"
    if answer.error == errno.EPERM:
        raise NotPermittedError(f"{said}; it takes CAP_NET_ADMIN")
    if answer.error == errno.ENOENT and needs:
        raise UnsupportedError(f"{what}: the kernel has no {needs}, or may not load its module")
    if answer.error == errno.EOPNOTSUPP:
        raise UnsupportedError(f"{said}; it takes a kernel with CONFIG_INET_DIAG_DESTROY=y")
    raise SensorError(f"{said}; see agent-sensor doctor")
