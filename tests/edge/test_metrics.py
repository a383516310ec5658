# SPDX-License-Identifier: Apache-2.0
"""Prometheus reads what we write; nobody who asks can hold the loop up."""

from __future__ import annotations

import selectors
import socket
import stat
import time
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sensor.core.metrics import Family
from sensor.edge.metrics import Endpoint, Textfile, text
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOSTILE = 'a"b\\c\nd'
FAMILIES = [
    Family("x_events", "Told.", is_counter=True, labels=("tool",), samples={(HOSTILE,): 23}),
    Family("x_up", "Runs.", is_counter=False, labels=(), samples={(): 1}),
]
ASK = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
MOST_S = 10


@pytest.fixture
def selector() -> Iterator[selectors.BaseSelector]:
    """Give the loop's selector."""
    with selectors.DefaultSelector() as selector:
        yield selector


@pytest.fixture
def endpoint(selector: selectors.BaseSelector) -> Iterator[Endpoint]:
    """Give an endpoint on a free port."""
    endpoint = Endpoint(("127.0.0.1", 0), lambda: FAMILIES)
    endpoint.register(selector)
    yield endpoint
    endpoint.close()


def connect(endpoint: Endpoint) -> socket.socket:
    """Connect to the endpoint."""
    return socket.create_connection(("127.0.0.1", endpoint.port), timeout=MOST_S)


def loop(selector: selectors.BaseSelector, until: Callable[[], bool]) -> None:
    """Be the daemon's loop until something is so."""
    deadline = time.monotonic() + MOST_S
    while not until():
        assert time.monotonic() < deadline
        for key, mask in selector.select(0.05):
            key.data(mask)


def ask(selector: selectors.BaseSelector, endpoint: Endpoint, *said: bytes) -> bytes:
    """Say something, piece by piece, and give all that is answered until the connection ends."""
    answer = bytearray()
    with connect(endpoint) as peer:
        peer.setblocking(False)  # noqa: FBT003  # the socket's own interface
        pieces = list(said)

        def over() -> bool:
            if pieces:
                peer.send(pieces.pop(0))
            try:
                more = peer.recv(65536)
            except BlockingIOError:
                return False
            except ConnectionResetError:
                return True
            answer.extend(more)
            return not more

        loop(selector, over)
    return bytes(answer)


def test_prometheus_reads_what_is_written() -> None:
    """Names, labels and values, whatever a label holds."""
    read = {
        sample.name: (sample.labels, sample.value)
        for family in text_string_to_metric_families(text(FAMILIES).decode())
        for sample in family.samples
    }
    assert read["x_events_total"] == ({"tool": HOSTILE}, 23)
    assert read["x_up"] == ({}, 1)


def test_a_file_is_whole_and_readable(tmp_path: Path) -> None:
    """It replaces the one before, leaves no other beside it, and goes when it is not true."""
    path = tmp_path / "x.prom"
    file = Textfile(path)
    file.write([])
    file.write(FAMILIES)
    assert path.read_bytes() == text(FAMILIES)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["x.prom"]
    file.remove()
    file.remove()
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    """With the remedy, and without a piece of it left over."""
    with pytest.raises(SensorError, match="No such file or directory; let root write to"):
        Textfile(tmp_path / "gone/x.prom").write(FAMILIES)
    (tmp_path / "x.prom").mkdir()
    with pytest.raises(SensorError, match="directory"):
        Textfile(tmp_path / "x.prom").write(FAMILIES)
    assert [one.name for one in tmp_path.iterdir()] == ["x.prom"]


def test_who_asks_is_answered(selector: selectors.BaseSelector, endpoint: Endpoint) -> None:
    """In one piece or in several, with a query or without."""
    for said in ([ASK], [ASK[:5], ASK[5:20], ASK[20:]], [ASK.replace(b"metrics", b"metrics?x=1")]):
        head, _, body = ask(selector, endpoint, *said).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"Content-Type: text/plain; version=" in head
        assert f"Content-Length: {len(body)}".encode() in head
        assert body == text(FAMILIES)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.1 405"),
        (b"\xff\x00\r\n\r\n", b"HTTP/1.1 405"),
        (b"x" * 10_000, b""),
    ],
)
def test_other_questions_get_short_answers(
    selector: selectors.BaseSelector, endpoint: Endpoint, said: bytes, status: bytes
) -> None:
    """And what has no end gets none."""
    answer = ask(selector, endpoint, said)
    assert answer.startswith(status)
    assert bool(answer) is bool(status)


def test_who_says_nothing_makes_room(selector: selectors.BaseSelector, endpoint: Endpoint) -> None:
    """A hundred silent peers keep nobody from asking."""
    silent = []
    for _ in range(100):
        silent.append(connect(endpoint))
        for key, mask in selector.select(0):
            key.data(mask)
    assert ask(selector, endpoint, ASK).startswith(b"HTTP/1.1 200")
    assert len(selector.get_map()) <= 10
    for peer in silent:
        peer.close()
    loop(selector, lambda: len(selector.get_map()) == 1)


def test_an_address_that_is_taken_is_told(endpoint: Endpoint) -> None:
    """With what to change."""
    with pytest.raises(SensorError, match=r"Address already in use; configure another listen"):
        Endpoint(("127.0.0.1", endpoint.port), list)


def test_ipv6_is_served_too(selector: selectors.BaseSelector) -> None:
    """As configured in brackets, which the configuration has taken off."""
    endpoint = Endpoint(("::1", 0), lambda: FAMILIES)
    endpoint.register(selector)
    with socket.create_connection(("::1", endpoint.port), timeout=MOST_S) as peer:
        peer.send(ASK)
        loop(selector, lambda: len(selector.get_map()) == 2)
    endpoint.close()
    assert not selector.get_map()


def test_what_cannot_be_measured_is_said(selector: selectors.BaseSelector) -> None:
    """A store that is damaged is no reason for the daemon to end."""

    def families() -> list[Family]:
        raise SensorError("events.db is damaged")

    endpoint = Endpoint(("127.0.0.1", 0), families)
    endpoint.register(selector)
    answer = ask(selector, endpoint, ASK)
    endpoint.close()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert answer.endswith(b"events.db is damaged\n")
