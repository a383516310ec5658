# SPDX-License-Identifier: Apache-2.0
"""Servers in a scratch network: a resolver, and listeners that remember what they hear.

One process serves them all and ends when whoever started it does. Only what it
has taken from its sockets counts as heard: it looks at all of them before it says.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

RESOLVERS = ("127.0.0.1", "127.0.0.2")
"""One for everybody, and one of a tool's own."""

_DNS_PORT = 53
_LARGEST = 65536
_REPLY = b"ok"
_READ = selectors.EVENT_READ
_NO_RECORD = 0x8180
_TTL_S = 1
_PATIENCE_S = 10.0


class Snare:
    """The servers, as whoever started them sees them; ``begin`` runs in their process first."""

    def __init__(self, ports: Iterable[int], *, begin: Callable[[], None]) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._ours.settimeout(_PATIENCE_S)
        self._pid = os.fork()
        if self._pid == 0:
            self._ours.close()
            try:
                begin()
                _Servers(theirs, sorted({*ports})).serve()
            except (OSError, SensorError) as problem:
                with suppress(OSError):
                    theirs.sendall(json.dumps({"problem": str(problem)}).encode() + b"\n")
            finally:
                os._exit(0)
        theirs.close()
        self._said = self._ours.makefile("r", encoding="utf-8")
        self._answer()

    def names(self, addresses: Mapping[str, str]) -> None:
        """Have these names looked up to these addresses from now on, and what was heard forgotten."""  # noqa: E501
        self._ask({"names": dict(addresses)})

    def heard(self) -> bytes:
        """Give all that was heard since names were set."""
        return bytes.fromhex(str(self._ask({})["heard"]))

    def close(self) -> None:
        """Have the servers end, and wait for that."""
        self._said.close()
        self._ours.close()
        os.waitpid(self._pid, 0)

    def _ask(self, question: dict[str, object]) -> dict[str, object]:
        try:
            self._ours.sendall(json.dumps(question).encode() + b"\n")
            return self._answer()
        except OSError as problem:
            raise SensorError(f"the listeners are gone: {problem}; run it again") from problem

    def _answer(self) -> dict[str, object]:
        answer: dict[str, object] = json.loads(self._said.readline() or "{}")
        if "heard" not in answer:
            raise SensorError(f"no listeners: {answer.get('problem', 'they ended')}; run it again")
        return answer


class _Servers:
    """The process of the servers."""

    def __init__(self, control: socket.socket, ports: list[int]) -> None:
        self._control = control
        self._questions = b""
        self._heard = b""
        self._names: dict[str, str] = {}
        self._is_over = False
        self._selector = selectors.DefaultSelector()
        self._watch(control, self._obey)
        for host in RESOLVERS:
            resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            resolver.bind((host, _DNS_PORT))
            self._watch(resolver, self._resolve)
        over_tcp = socket.create_server((RESOLVERS[0], _DNS_PORT))
        self._watch(over_tcp, lambda one: self._accept(one, self._resolve_tcp))
        for port in ports:
            self._watch(_listener(port), lambda one: self._accept(one, self._hear))
            self._watch(_datagrams(port), self._hear_datagram)

    def _watch(self, one: socket.socket, act: Callable[[socket.socket], None]) -> None:
        if one is not self._control:
            one.setblocking(False)  # noqa: FBT003  # positional only
        self._selector.register(one, _READ, act)

    def serve(self) -> None:
        """Say that all is there, and serve until the other end of the control is closed."""
        self._answer_control()
        while not self._is_over:
            self._turn(None)

    def _turn(self, timeout: float | None) -> bool:
        """Take what is there, the control last. Tells whether there was anything else."""
        ready = self._selector.select(timeout)
        others = [key for key, _ in ready if key.fileobj is not self._control]
        for key in others:
            with suppress(OSError):
                key.data(key.fileobj)
        if not others and ready:
            self._obey(self._control)
        return bool(others)

    def _obey(self, control: socket.socket) -> None:
        piece = control.recv(_LARGEST)
        self._is_over = not piece
        *lines, self._questions = (self._questions + piece).split(b"\n")
        for line in lines:
            asked = json.loads(line)
            if "names" in asked:
                self._names, self._heard = asked["names"], b""
            self._answer_control()

    def _answer_control(self) -> None:
        self._control.sendall(json.dumps({"heard": self._heard.hex()}).encode() + b"\n")

    def _accept(self, listener: socket.socket, act: Callable[[socket.socket], None]) -> None:
        client, _ = listener.accept()
        self._watch(client, act)

    def _hear(self, client: socket.socket) -> None:
        text = self._taken(client)
        self._heard += text
        if text:
            client.sendall(_REPLY)

    def _hear_datagram(self, one: socket.socket) -> None:
        text, peer = one.recvfrom(_LARGEST)
        self._heard += text
        one.sendto(_REPLY, peer)

    def _resolve(self, one: socket.socket) -> None:
        query, asker = one.recvfrom(_LARGEST)
        one.sendto(self._answer(query), asker)

    def _resolve_tcp(self, client: socket.socket) -> None:
        if query := self._taken(client):
            answer = self._answer(query[2:])
            client.sendall(struct.pack("!H", len(answer)) + answer)

    def _taken(self, client: socket.socket) -> bytes:
        """Take what a client says; at its end, or an error, it is let go."""
        try:
            text = client.recv(_LARGEST)
        except OSError:
            text = b""
        if not text:
            self._selector.unregister(client)
            client.close()
        return text

    def _answer(self, query: bytes) -> bytes:
        """Answer a question for an address (RFC 1035, 4.1), in the question's own spelling."""
        labels, at = [], 12
        while length := query[at]:
            labels.append(query[at + 1 : at + 1 + length].decode("ascii", "replace"))
            at += 1 + length
        section = query[12 : at + 5]
        address = self._names.get(".".join(labels).lower())
        head = query[:2] + struct.pack("!5H", _NO_RECORD, 1, 1 if address else 0, 0, 0)
        if not address:
            return head + section
        record = struct.pack("!3HIH", 0xC00C, 1, 1, _TTL_S, 4) + socket.inet_aton(address)
        return head + section + record


def _listener(port: int) -> socket.socket:
    try:
        made = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    except OSError:  # no IPv6 here
        made = socket.create_server(("0.0.0.0", port))  # noqa: S104  # in a network of its own
    with suppress(OSError):
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
    return made


def _datagrams(port: int) -> socket.socket:
    try:
        made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.bind(("::", port))
    except OSError:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("0.0.0.0", port))  # noqa: S104  # in a network of its own
    return made
