# SPDX-License-Identifier: Apache-2.0
"""A network namespace with nothing but a loopback, and servers in it."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from support import dns
from support.dns import RecordType
from support.drivers import built

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from support.scope import Argument

_Made = TypeVar("_Made")

_CLONE_NEWNET = 0x40000000  # linux/sched.h
# Documentation/networking/ip-sysctl.rst, tcp_fastopen: both sides, data without a cookie.
_FAST_OPEN = str(0x1 | 0x2 | 0x4 | 0x200)
_SETUP = (
    "link set lo up",
    "address add 192.0.2.1/32 dev lo",
    "address add 2001:db8::1/128 dev lo nodad",
)
# Every TCP answer; the tests count these bytes.
ANSWER = b"a" * 2000
# Every name has this address.
NAMED = "192.0.2.1"
_DNS_PORT = 53


class Network:
    """The namespace lives as long as the ``with``, and so do the servers in it.

    ``tcp_port`` reads to the end of what it is sent, answers ``ANSWER`` and
    closes; ``udp_port`` drops all; nobody listens on ``closed_port``; a name
    server that gives every name the address ``NAMED`` is where one has to be.
    ``accepted`` and ``received`` count what came to the first two.
    """

    accepted = received = 0

    def __enter__(self) -> Self:
        # A thread of its own: unshare(2) moves the calling thread alone.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(self._make).result()
        threading.Thread(target=self._serve, daemon=True).start()
        threading.Thread(target=self._drop, daemon=True).start()
        threading.Thread(target=self._name, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tcp.shutdown(socket.SHUT_RDWR)
        for server in (self._names, self._udp):
            with suppress(OSError):  # it has no peer, and its reader wakes up all the same
                server.shutdown(socket.SHUT_RDWR)
        for server in (self._tcp, self._udp, self._names):
            server.close()
        os.close(self._namespace)

    def entered(self, *argv: Argument) -> list[Argument]:
        """Make ``argv`` run in the namespace."""
        return [built() / "enter", f"/proc/{os.getpid()}/fd/{self._namespace}", *argv]

    def inside(self, make: Callable[[], _Made]) -> _Made:
        """Have a thread that is in the namespace call ``make``; give what that gives."""

        def moved() -> _Made:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(self._namespace, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns(CLONE_NEWNET)")
            return make()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(moved).result()

    def _make(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
        for arguments in _SETUP:
            subprocess.run(["ip", *arguments.split()], check=True)
        Path("/proc/sys/net/ipv4/tcp_fastopen").write_text(_FAST_OPEN, encoding="ascii")
        self._namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        # Dual stack: one server for IPv4, IPv6 and IPv4-mapped addresses.
        self._tcp = socket.create_server(
            ("::", 0), family=socket.AF_INET6, backlog=128, dualstack_ipv6=True
        )
        self._tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 128)
        self._udp, self._names = (
            socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) for _ in range(2)
        )
        self._udp.bind(("::", 0))
        self._names.bind(("::", _DNS_PORT))
        with socket.create_server(("127.0.0.1", 0)) as closed:
            self.closed_port = closed.getsockname()[1]
        self.tcp_port = self._tcp.getsockname()[1]
        self.udp_port = self._udp.getsockname()[1]

    def _serve(self) -> None:
        """Give each connection a thread until the listening socket is shut down."""
        while True:
            try:
                client, _ = self._tcp.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=_answer, args=(client,), daemon=True).start()

    def _drop(self) -> None:
        """Count datagrams until the socket is shut down."""
        while self._udp.recv(64):
            self.received += 1

    def _name(self) -> None:
        """Answer every query until the socket is shut down."""
        while True:
            query, asker = self._names.recvfrom(512)
            if not query:
                return
            name, _, _ = dns.question(query)
            record = (name, RecordType.A, socket.inet_aton(NAMED))
            self._names.sendto(dns.answer(query, [record], dns.NO_ERROR), asker)


def _answer(client: socket.socket) -> None:
    """Read all, answer, close; a client that has gone already is none of the test's concern."""
    with client, suppress(OSError):
        while client.recv(65536):
            pass
        client.sendall(ANSWER)
