# SPDX-License-Identifier: Apache-2.0
"""Peers that mean harm, or are many, or come to it: nobody else notices."""

from __future__ import annotations

import os
import resource
import time
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.streams import MemoryPast, Peer, Stage, Turnstile, frames

from sensor.core.admission import Limits
from sensor.errors import ExitCode
from sensor.wire.answers import Hello, Refused, State
from sensor.wire.envelope import envelope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SMALL = Limits(recent_bytes=64 * 1024)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the socket is to be."""
    return tmp_path / "stream.sock"


@pytest.fixture
def stage(path: Path) -> Iterator[Stage]:
    """Return a hub with little room, after 1000 events that are stored."""
    with Stage(path, MemoryPast(frames(1, 1000)), limits=SMALL) as stage:
        yield stage


def test_garbage_harms_nobody(stage: Stage) -> None:
    """Whoever sends it hears why and is dropped; the reader beside it goes on."""
    good, bad = Peer(stage), Peer(stage)
    good.subscribe()
    bad.socket.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    refused = bad.wait(Refused)
    assert isinstance(refused, Refused)
    assert refused.code == ExitCode.BAD_INPUT
    bad.until(lambda: bad.is_over)
    stage.tell(frames(1001, 1001))
    good.until(lambda: good.seqs == [1001])


def test_any_bytes_harm_nobody(stage: Stage) -> None:
    """Also with a peer that vanishes after them; the reader beside it is answered."""

    @given(st.lists(st.binary(max_size=40), max_size=6))
    @settings(max_examples=60, deadline=None)
    def throw(pieces: list[bytes]) -> None:
        peer, good = Peer(stage), Peer(stage)
        good.ask(do="status")
        with peer.socket, good.socket:
            for piece in pieces:
                with suppress(BrokenPipeError):
                    peer.socket.sendall(piece)
                stage.turn()
            good.wait(State)
        stage.until(lambda: stage.hub.state()["readers"] == [])

    throw()


def test_half_a_request_is_waited_for_and_no_longer(stage: Stage) -> None:
    """Not even when it goes on byte by byte."""
    peer = Peer(stage)
    peer.wait(Hello)
    request = envelope({"do": "status"})
    for place in range(4):
        peer.socket.sendall(request[place : place + 1])
        stage.turn(0.01)
        stage.turn()
        stage.clock.pass_s(3)
    refused = peer.wait(Refused)
    assert refused == Refused("10 s without a whole request: connect again", ExitCode.FAILED)
    peer.until(lambda: peer.is_over)
    assert stage.hub.state()["readers"] == []


def test_who_says_nothing_is_let_go_of_in_the_end(stage: Stage) -> None:
    """A place is for those who use it; each request starts the time anew."""
    peer = Peer(stage)
    for _ in range(3):
        stage.clock.pass_s(50)
        peer.ask(do="status")
        peer.answers.clear()
        peer.wait(State)
    stage.clock.pass_s(60)
    peer.until(lambda: peer.is_over)


def test_a_subscriber_may_be_silent(stage: Stage) -> None:
    """For days, if nothing happens."""
    peer = Peer(stage)
    peer.subscribe()
    stage.clock.pass_s(500_000)
    stage.turn()
    stage.tell(frames(1001, 1001))
    peer.until(lambda: peer.seqs == [1001])


def test_who_asks_and_never_reads_is_heard_no_more(stage: Stage) -> None:
    """Requests pile up on its own side of the socket."""
    peer = Peer(stage)
    request = envelope({"do": "status"}) * 100
    sent = 0
    deadline = time.monotonic() + 20
    is_full = 0
    while is_full < 10:
        assert time.monotonic() < deadline
        try:
            sent += peer.socket.send(request)
            is_full = 0
        except BlockingIOError:
            is_full += 1
        stage.turn()
    good = Peer(stage)
    good.ask(do="status")
    good.wait(State)
    stage.clock.pass_s(60)
    stage.turn()
    peer.until(lambda: peer.is_over)


def test_who_asks_without_end_and_reads_is_answered_in_turn(stage: Stage) -> None:
    """It cannot make the hub take more requests than it answers."""
    peer = Peer(stage)
    peer.wait(Hello)
    requests = memoryview(envelope({"do": "status"}) * 100_000)
    sent = 0
    for _ in range(50):
        with suppress(BlockingIOError):
            sent += peer.socket.send(requests[sent:])
        stage.turn()
        peer.read()
        assert stage.hub.timeout() == 0
    answered = len(peer.answers) - 1
    assert answered <= 50 * SMALL.chunks_per_turn
    # The kernel's buffer on the way, and what the hub takes at once and before it stops.
    assert sent < 1 << 19


def test_a_peer_that_vanishes_is_forgotten(stage: Stage) -> None:
    """In the middle of its own frame, and in the middle of ours."""
    half, reading = Peer(stage), Peer(stage)
    half.socket.sendall(envelope({"do": "status"})[:6])
    reading.ask(do="query")
    for _ in range(5):
        stage.turn()
    half.socket.close()
    reading.socket.close()
    stage.until(lambda: stage.hub.state()["readers"] == [])
    assert stage.hub.timeout() is None


def test_a_flood_of_connections_finds_a_limit(stage: Stage) -> None:
    """Those that are in stay in, those beyond hear why, and places become free again."""
    first = Peer(stage)
    first.subscribe()
    with ExitStack() as sockets:
        crowd = []
        for _ in range(100):
            peer = Peer(stage)
            sockets.enter_context(peer.socket)
            crowd.append(peer)
            stage.turn()
        for peer in crowd:
            peer.until(lambda peer=peer: bool(peer.answers))  # type: ignore[misc]  # bound now
        refused = [one for peer in crowd for one in peer.answers if isinstance(one, Refused)]
        assert len(refused) == 85
        assert "uid 0 has 16 connections, the most there may be" in refused[0].text
        assert stage.hub.state()["refused"] == 85
        stage.tell(frames(1001, 1001))
        first.until(lambda: first.seqs == [1001])
    stage.until(
        lambda: (
            stage.hub.state()["readers"]
            == [{"pid": os.getpid(), "uid": os.geteuid(), "skipped": 0}]
        )
    )
    Peer(stage).wait(Hello)


def test_one_turn_accepts_so_many(path: Path) -> None:
    """The rest waits in the kernel's queue."""
    with Stage(path, limits=Limits(accepts_per_turn=3)) as stage:
        peers = [Peer(stage) for _ in range(5)]
        stage.turn()
        readers = stage.hub.state()["readers"]
        assert isinstance(readers, list)
        assert len(readers) == 3
        for peer in peers:
            peer.wait(Hello)


def test_without_file_descriptors_the_door_is_shut_for_a_while(path: Path) -> None:
    """The loop does not spin on a peer that cannot be accepted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Stage(path) as stage:
        peer = Peer(stage)
        resource.setrlimit(resource.RLIMIT_NOFILE, (peer.socket.fileno() + 1, hard))
        try:
            stage.turn()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert stage.selector.select(0) == []
        assert stage.hub.timeout() == 1
        stage.turn()
        assert not stage.hub.state()["readers"]
        stage.clock.pass_s(1)
        peer.wait(Hello)


def test_it_may_end_while_the_door_is_shut(path: Path) -> None:
    """Nothing is taken away twice."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Stage(path) as stage, closing(Peer(stage).socket) as sock:
        resource.setrlimit(resource.RLIMIT_NOFILE, (sock.fileno() + 1, hard))
        try:
            stage.turn()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_root_has_room_that_members_cannot_fill() -> None:
    """However many of them come, from however many accounts."""
    door = Turnstile()
    with Stage(door, limits=Limits(members=5, peers_per_uid=2)) as stage:
        crowd = [Peer(stage, door.push(1000 + number // 3)) for number in range(12)]
        for peer in crowd:
            peer.until(lambda peer=peer: bool(peer.answers))  # type: ignore[misc]  # bound now
        assert sum(isinstance(peer.answers[0], Hello) for peer in crowd) == 5
        Peer(stage, door.push(0)).wait(Hello)


def test_who_is_gone_before_being_refused_is_no_matter() -> None:
    """There is nobody to tell."""
    door = Turnstile()
    with Stage(door) as stage:
        door.push(1, may_read=False).close()
        door.push(0).close()
        stage.until(lambda: stage.hub.state()["refused"] == 1)
        stage.until(lambda: stage.hub.state()["readers"] == [])
