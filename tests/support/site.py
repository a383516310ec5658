# SPDX-License-Identifier: Apache-2.0
"""Listeners in a test's own network that keep what they hear, and what there is to say to them."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.network import Network

REPLY = b"HTTP/1.1 200 OK\r\n\r\n"
_LARGEST = 65536


class Site:
    """Listeners at ``ports``. ``heard`` has, by port, what each connection said."""

    def __init__(self, network: Network, ports: tuple[int, ...]) -> None:
        self.heard: dict[int, list[bytes]] = defaultdict(list)
        self._open: list[socket.socket] = []
        for port in ports:
            listener = network.inside(lambda port=port: _listening(port))  # type: ignore[misc]
            self._open.append(listener)
            threading.Thread(target=self._listen, args=(listener, port), daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

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
