# SPDX-License-Identifier: Apache-2.0
"""Metrics for Prometheus: its text, an endpoint on the loopback, a file for node_exporter.

prometheus_client costs 5 MB of memory, so only a daemon that is configured to
be measured imports this file. Its own server is not used: it takes a thread
for each who asks, and ours has one loop.
"""

from __future__ import annotations

import os
import selectors
import socket
import tempfile
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client import Metric

    from sensor.core.metrics import Family

_MOST_ASKING = 8  # Prometheus asks one at a time; the one that has waited longest makes room
_LONGEST_REQUEST_BYTES = 8192  # what nginx and Apache take of one header
_READ_BYTES = 4096


class _Collected(Collector):
    """Gives the families of one moment to the library."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """Give each family as the library's own."""
        for family in self._families:
            kind = CounterMetricFamily if family.is_counter else GaugeMetricFamily
            metric = kind(family.name, family.help, labels=family.labels)
            for labels, value in family.samples.items():
                metric.add_metric(labels, value)
            yield metric


def text(families: Iterable[Family]) -> bytes:
    """Write metrics in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(list(families)))
    return generate_latest(registry)


class Textfile:
    """A file for node_exporter's textfile collector, which reads whole files only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, families: Iterable[Family]) -> None:
        """Put a new file in place of the old one. Raises SensorError where that cannot be."""
        try:
            # The collector reads *.prom: what is not whole has another ending.
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".agent-sensor.")
            try:
                with open(handle, "wb") as out:  # noqa: PTH123  # a descriptor
                    out.write(text(families))
                    os.fchmod(out.fileno(), 0o644)
                Path(name).replace(self._path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as problem:
            raise SensorError(
                f"{self._path}: {problem.strerror}; let root write to {self._path.parent},"
                " and the unit too (ReadWritePaths= in a drop-in)"
            ) from problem

    def remove(self) -> None:
        """Take the file away: what it says is true no longer."""
        with suppress(OSError):
            self._path.unlink()


@dataclass(slots=True, eq=False)
class _Asking:
    """One connection: what it has said, then what it is still to be told."""

    socket: socket.socket
    said: bytes = b""
    left: bytes = field(default=b"")


class Endpoint:
    """Answers ``GET /metrics`` at a loopback address with what ``families`` gives.

    Raises SensorError where it cannot listen.
    """

    def __init__(self, address: tuple[str, int], families: Callable[[], Iterable[Family]]) -> None:
        self._families = families
        self._asking: deque[_Asking] = deque()
        host, port = address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
            self._socket.listen(_MOST_ASKING)
        except OSError as problem:
            self._socket.close()
            raise SensorError(
                f"metrics cannot be served at {host} port {port}: {problem.strerror};"
                " configure another listen in [metrics]"
            ) from problem

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    def register(self, selector: selectors.BaseSelector) -> None:
        """Have a selector watch our sockets; each key's ``data`` is to be called with its mask."""
        self._selector = selector
        selector.register(self._socket, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Let everybody go, and listen no more."""
        while self._asking:
            self._dismiss(self._asking[0])
        self._selector.unregister(self._socket)
        self._socket.close()

    def _accept(self, _mask: int) -> None:
        try:
            peer, _ = self._socket.accept()
        except OSError:
            return  # it has gone again
        peer.setblocking(False)  # noqa: FBT003  # the socket's own interface
        if len(self._asking) >= _MOST_ASKING:
            self._dismiss(self._asking[0])
        asking = _Asking(peer)
        self._asking.append(asking)
        self._selector.register(peer, selectors.EVENT_READ, lambda _mask: self._serve(asking))

    def _serve(self, asking: _Asking) -> None:
        """Read, or write, as much as there is; nobody is waited for."""
        try:
            done = self._write(asking) if asking.left else self._read(asking)
        except BlockingIOError:
            return
        except OSError:
            done = True
        if done:
            self._dismiss(asking)

    def _read(self, asking: _Asking) -> bool:
        """Read until the request's head is whole; tells whether the connection is over."""
        more = asking.socket.recv(_READ_BYTES)
        asking.said += more
        if not more or len(asking.said) > _LONGEST_REQUEST_BYTES:
            return True
        if b"\r\n\r\n" not in asking.said:
            return False
        asking.left = self._answer(asking.said.partition(b"\r\n")[0])
        self._selector.modify(
            asking.socket, selectors.EVENT_WRITE, lambda _mask: self._serve(asking)
        )
        return False

    def _write(self, asking: _Asking) -> bool:
        asking.left = asking.left[asking.socket.send(asking.left) :]
        return not asking.left

    def _answer(self, request: bytes) -> bytes:
        """Answer a request line (RFC 9112, section 3)."""
        match request.split(b" "):
            case [b"GET", target, _] if target.partition(b"?")[0] == b"/metrics":
                return self._measured()
            case [b"GET", _, _]:
                return _response("404 Not Found", b"metrics are at /metrics\n")
            case _:
                return _response("405 Method Not Allowed", b"GET /metrics\n")

    def _measured(self) -> bytes:
        """Answer with what is measured; what cannot be, such as a damaged store, is said."""
        try:
            return _response("200 OK", text(self._families()), CONTENT_TYPE_LATEST)
        except SensorError as problem:
            return _response("503 Service Unavailable", f"{problem}\n".encode())

    def _dismiss(self, asking: _Asking) -> None:
        self._asking.remove(asking)
        self._selector.unregister(asking.socket)
        asking.socket.close()


def _response(status: str, body: bytes, kind: str = "text/plain; charset=utf-8") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
