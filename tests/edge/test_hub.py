# SPDX-License-Identifier: Apache-2.0
"""Readers on real sockets: who keeps up, who does not, and what a turn may cost."""

from __future__ import annotations

import os
import tracemalloc
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from support.streams import HELLO, MemoryPast, Peer, Stage, Turnstile, frames

from sensor.core.admission import HOW_TO_BE_LET_IN, Limits
from sensor.errors import ExitCode
from sensor.wire.answers import Done, Hello, Obeyed, Refused, State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NO_RIGHT = f"uid 65534 may not read the stream: {HOW_TO_BE_LET_IN}"
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


def test_the_first_answer_says_whose_stream_it_is(stage: Stage) -> None:
    """And the newest seq when the reader came."""
    stage.tell(frames(1001, 1002))
    assert Peer(stage).wait(Hello) == Hello(
        host=HELLO.host, boot_id=HELLO.boot_id, started_at=HELLO.started_at, seq=1002
    )


def test_a_reader_from_the_past_has_no_hole_and_no_repeat(stage: Stage) -> None:
    """While events pour in at every turn, some stored at once and some later."""
    peer = Peer(stage)
    peer.ask(do="subscribe", since={"seq": 1}, every=True)
    newest, late = 1000, []
    for _ in range(300):
        new = frames(newest + 1, newest + 17)
        newest += 17
        stage.hub.publish(new)
        late += new
        if len(late) > 50:
            stage.past.keep(late)
            late = []
        stage.turn()
        peer.read()
    stage.past.keep(late)
    peer.until(lambda: peer.seqs[-1:] == [newest])
    assert peer.seqs == list(range(1, newest + 1))
    assert peer.skipped == []


def test_the_slow_is_told_what_it_missed_and_the_fast_gets_everything(stage: Stage) -> None:
    """The fast one at once; the slow one can fetch exactly what was skipped."""
    fast, slow = Peer(stage), Peer(stage)
    for peer in (fast, slow):
        peer.subscribe()
    newest = 1000
    for _ in range(400):
        stage.tell(frames(newest + 1, newest + 20, pad=300))
        newest += 20
        stage.turn()
        fast.read()
        assert fast.seqs[-1:] == [newest]
    assert fast.seqs == list(range(1001, newest + 1))
    assert fast.skipped == []

    slow.until(lambda: slow.seqs[-1:] == [newest])
    missed = [seq for first, last in slow.skipped for seq in range(first, last + 1)]
    assert missed
    assert sorted([*slow.seqs, *missed]) == list(range(1001, newest + 1))
    assert slow.seqs == sorted(slow.seqs)

    [(first, last)] = slow.skipped
    before = len(slow.seqs)
    slow.ask(do="fetch", first=first, last=last)
    assert slow.wait(Done) == Done(last)
    assert slow.seqs[before:] == missed
    stage.tell(frames(newest + 1, newest + 1))
    slow.until(lambda: slow.seqs[-1:] == [newest + 1])


def test_readers_that_stay_away_cost_no_memory(path: Path) -> None:
    """Sixteen that never read, and 20 MB of events: what is kept stays within its bound."""
    some = frames(1, 1000, pad=500)
    with Stage(path, limits=Limits(recent_bytes=1 << 20)) as stage, ExitStack() as peers:
        for _ in range(16):
            peer = Peer(stage)
            peers.enter_context(peer.socket)
            peer.subscribe()
        tracemalloc.start()
        try:
            for around in range(25):
                new = [one._replace(seq=one.seq + 1000 * around) for one in some]
                stage.hub.publish(new)
                stage.turn()
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < 4 << 20
        assert stage.hub.state()["seq"] == 25_000


def test_a_turn_costs_no_more_for_what_is_asked(path: Path) -> None:
    """Of the past so many pages a turn, for all readers together; each has its share."""
    limits = Limits(pages_per_turn=2, chunks_per_turn=100)
    with Stage(path, MemoryPast(frames(1, 5000)), limits=limits) as stage:
        peers = [Peer(stage) for _ in range(4)]
        for peer in peers:
            peer.ask(do="query")
        while not all(peer.done for peer in peers):
            before = stage.past.reads
            stage.turn()
            assert stage.past.reads - before <= limits.pages_per_turn
            reached = []
            for peer in peers:
                peer.read()
                reached.append(len(peer.seqs))
            assert max(reached) - min(reached) <= 4 * 256
        assert stage.hub.timeout() is not None
        assert all(peer.seqs == list(range(1, 5001)) for peer in peers)


def test_the_loop_is_told_when_it_is_wanted(stage: Stage) -> None:
    """At once while there is more to hand on, never for readers that wait."""
    assert stage.hub.timeout() is None
    peer = Peer(stage)
    peer.ask(do="query")
    stage.turn()
    stage.turn()
    peer.wait(Done)
    assert 0 < (stage.hub.timeout() or 0) <= SMALL.idle_s
    peer.subscribe()
    assert stage.hub.timeout() is None
    other = Peer(stage)
    other.ask(do="subscribe", until={"at_ns": 5_000_000_000})
    stage.until(lambda: stage.hub.timeout() == 5)
    stage.clock.pass_s(5)
    assert other.wait(Done) == Done(1000)


def test_who_waits_for_the_store_is_asked_again_soon(stage: Stage) -> None:
    """Nothing else may wake the loop when the store has caught up."""
    peer = Peer(stage)
    peer.subscribe(every=True)
    assert stage.hub.timeout() is None
    stage.tell(frames(1001, 2000, pad=100), store=False)
    stage.turn()
    assert stage.hub.timeout() == SMALL.store_s
    stage.past.keep(frames(1001, 2000, pad=100))
    peer.until(lambda: len(peer.seqs) == 1000)


def test_a_turn_with_more_to_send_is_followed_by_another(path: Path) -> None:
    """A reader gets its share of a turn, and the rest in the next."""
    with Stage(path, limits=Limits(chunks_per_turn=1)) as stage:
        peer = Peer(stage)
        peer.subscribe()
        stage.tell(frames(1, 200))
        stage.turn()
        assert stage.hub.timeout() == 0
        peer.until(lambda: len(peer.seqs) == 200)


def test_status_and_control_are_answered(stage: Stage) -> None:
    """Root's own, here."""
    peer = Peer(stage)
    peer.ask(do="status")
    assert peer.wait(State) == State({"mode": "observe"})
    peer.ask(do="stop")
    assert peer.wait(Obeyed) == Obeyed({"stops": True})
    assert stage.daemon.asker == os.getpid()


def test_its_end_is_the_end_of_all_connections(path: Path) -> None:
    """Readers see it, and the socket is gone."""
    with Stage(path) as stage:
        peer = Peer(stage)
        peer.wait(Hello)
    peer.read()
    assert peer.is_over
    assert not path.exists()


@pytest.mark.parametrize(
    ("uid", "may_read", "expected"),
    [(0, True, Obeyed), (1000, True, Refused), (65534, False, None)],
)
def test_members_read_and_root_controls(
    *, uid: int, may_read: bool, expected: type[Obeyed | Refused] | None
) -> None:
    """Who may not even read hears so at once, and nothing else."""
    door = Turnstile()
    with Stage(door, MemoryPast(frames(1, 3))) as stage:
        peer = Peer(stage, door.push(uid, may_read=may_read))
        if expected is None:
            assert peer.wait(Refused) == Refused(NO_RIGHT, ExitCode.NOT_PERMITTED)
            peer.until(lambda: peer.is_over)
            assert len(peer.answers) == 1
            return
        peer.ask(do="query")
        peer.wait(Done)
        assert peer.seqs == [1, 2, 3]
        peer.ask(do="stop")
        assert isinstance(peer.wait(expected), expected)
        assert bool(stage.daemon.stopped) is (expected is Obeyed)
