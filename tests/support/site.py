# SPDX-License-Identifier: Apache-2.0
"""Servers in a test's own network: a resolver, and listeners that keep what they hear."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from support import dns

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.network import Network

RESOLVER = "127.0.0.1"
REPLY = b"HTTP/1.1 200 OK\r\n\r\n"
_LARGEST = 65536


class Site:
    """A resolver at port 53 that knows ``names`` (the longest suffix counts), and listeners.

    ``heard`` has, by port, what each connection said until it was answered.
    """

    def __init__(self, network: Network, names: dict[str, str], ports: tuple[int, ...]) -> None:
        self.names = names
        self.heard: dict[int, list[bytes]] = defaultdict(list)
        self._network = network
        self._open: list[socket.socket] = []
        asked = self._made(lambda: _bound(53))
        threading.Thread(target=self._resolve, args=(asked,), daemon=True).start()
        for port in ports:
            listener = self._made(lambda port=port: _listening(port))  # type: ignore[misc]
            threading.Thread(target=self._listen, args=(listener, port), daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _made(self, make: Callable[[], socket.socket]) -> socket.socket:
        made = self._network.inside(make)
        self._open.append(made)
        return made

    def _resolve(self, asked: socket.socket) -> None:
        with suppress(OSError):
            while query_from := asked.recvfrom(_LARGEST):
                query, peer = query_from
                if not query:  # the end
                    return
                asked.sendto(self._answer(query), peer)

    def _answer(self, query: bytes) -> bytes:
        name, _, _ = dns.question(query)
        labels = name.split(".")
        for start in range(len(labels)):
            if address := self.names.get(".".join(labels[start:])):
                packed = socket.inet_pton(socket.AF_INET, address)
                return dns.answer(query, [(name, dns.RecordType.A, packed)], dns.NO_ERROR)
        return dns.answer(query, [], dns.NAME_ERROR)

    def _listen(self, listener: socket.socket, port: int) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._hear, args=(client, port), daemon=True).start()

    def _hear(self, client: socket.socket, port: int) -> None:
        with client, suppress(OSError):
            if said := client.recv(_LARGEST):
                self.heard[port].append(said)
                client.sendall(REPLY)


def _bound(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("0.0.0.0", port))
    return made


def _listening(port: int) -> socket.socket:
    return socket.create_server(
        ("::", port), family=socket.AF_INET6, backlog=256, dualstack_ipv6=True
    )


def client_hello(name: str | None) -> bytes:
    """Give the ClientHello of this Python's OpenSSL for a host."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    return outgoing.read()
