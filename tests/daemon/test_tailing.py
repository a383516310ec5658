# SPDX-License-Identifier: Apache-2.0
"""Who follows the stream gets every event once, over restarts, and is told what is missing."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.serving import Serving
from support.streams import event, frames
from support.taken import DEADLINE_S, Reading

from sensor.core.admission import Limits
from sensor.core.away import Back, Garbled, Gone, Missed
from sensor.core.event import Kind, Lack
from sensor.core.filter import Filter, traits_of
from sensor.core.when import Moment, Seq
from sensor.daemon.tailing import Tail
from sensor.errors import BadInputError, NoDaemonError
from sensor.wire.frame import Frame, frame_of

if TYPE_CHECKING:
    from pathlib import Path


def gap(seq: int) -> Frame:
    """Return the daemon's word on a time that it missed."""
    lack = Lack("2026-11-23T14:00:00.0Z", "2026-11-23T14:00:01.0Z", 5, seq - 1)
    return frame_of(replace(event(seq, tool=None, kind=Kind.GAP), gap=lack, reason="made up"))


def test_what_comes_is_given_at_once(tmp_path: Path) -> None:
    """From now on, where nobody says from where."""
    with Serving(tmp_path, frames(1, 5)) as serving:
        reading = Reading(Tail(tmp_path, until=Seq(8)).batches(None))
        serving.tell(frames(6, 9))
        reading.rest()
    assert reading.seqs == [6, 7, 8]


def test_past_and_present_have_no_seam(tmp_path: Path) -> None:
    """It ends where it was told to."""
    with Serving(tmp_path, frames(1, 300)) as serving:
        reading = Reading(Tail(tmp_path, until=Seq(320)).batches(Seq(1)))
        reading.upto(300)
        serving.tell(frames(301, 330))
        reading.rest()
    assert reading.seqs == list(range(1, 321))
    assert reading.remarks == []


def test_a_restart_is_told_and_nothing_is_repeated(tmp_path: Path) -> None:
    """With the daemon's own word on what may be missing."""
    with Serving(tmp_path, frames(1, 10)):
        reading = Reading(Tail(tmp_path, until=Seq(30)).batches(Seq(3)))
        reading.upto(10)
    reading.told(Gone)
    with Serving(tmp_path, [*frames(1, 12), gap(20), *frames(21, 22)]) as serving:
        reading.upto(22)
        serving.tell(frames(23, 30))
        reading.rest()
    assert reading.seqs == [*range(3, 13), *range(20, 31)]
    [back] = reading.backs
    assert (back.last_seq, back.newest, back.is_anew) == (10, 22, False)
    assert [one.seq for one in back.gaps] == [20]
    assert "events 5-19 are gone" in back.text(str)
    assert not [one for one in reading.remarks if isinstance(one, Missed)]


def test_a_restart_without_a_gap_has_nothing_missing(tmp_path: Path) -> None:
    """The same numbers go on."""
    with Serving(tmp_path, frames(1, 10)):
        reading = Reading(Tail(tmp_path, until=Seq(11)).batches(Seq(10)))
        reading.upto(10)
    reading.told(Gone)
    with Serving(tmp_path, frames(1, 10)) as serving:
        reading.told(Back)
        serving.tell(frames(11, 11))
        reading.rest()
    assert reading.seqs == [10, 11]
    assert reading.backs[0].text(str).endswith("; nothing is missing")


def test_two_restarts_are_two(tmp_path: Path) -> None:
    """Each is told, and goes on where the one before ended."""
    reading: Reading | None = None
    for newest in (5, 8, 11):
        with Serving(tmp_path, frames(1, newest)):
            reading = reading or Reading(Tail(tmp_path).batches(Seq(1)))
            reading.upto(newest)
    assert reading
    assert reading.seqs == list(range(1, 12))
    assert [(back.last_seq, back.newest) for back in reading.backs] == [(5, 8), (8, 11)]


def test_a_stream_that_begins_anew_is_followed_from_its_beginning(tmp_path: Path) -> None:
    """The store was taken away: its numbers are used again."""
    with Serving(tmp_path, frames(1, 10)):
        reading = Reading(Tail(tmp_path).batches(Seq(9)))
        reading.upto(10)
    for newest in (3, 5):
        with Serving(tmp_path, frames(1, newest)):
            reading.upto(newest)
    assert reading.seqs == [9, 10, 1, 2, 3, 4, 5]
    assert [back.is_anew for back in reading.backs] == [True, False]


def test_a_tail_from_a_time_goes_on_by_number(tmp_path: Path) -> None:
    """Before it has seen an event, it still means the time."""
    with Serving(tmp_path):
        reading = Reading(Tail(tmp_path, until=Seq(2)).batches(Moment(1)))
    reading.told(Gone)
    with Serving(tmp_path, frames(1, 2)):
        reading.rest()
    assert reading.seqs == [1, 2]


def test_what_was_skipped_is_told_and_fetched(tmp_path: Path) -> None:
    """A reader that is too slow for the daemon's memory gets everything, some of it later."""
    limits = Limits(recent_bytes=64 * 1024)
    with Serving(tmp_path, frames(1, 10), limits=limits) as serving:
        reading = Reading(Tail(tmp_path).batches(Seq(10)))
        reading.upto(10)
        newest = 10
        for _ in range(150):
            serving.tell(frames(newest + 1, newest + 20, pad=300))
            newest += 20
        reading.until(lambda: len(reading.seqs) >= newest - 9)
    assert sorted(reading.seqs) == list(range(10, newest + 1))
    missed = [one for one in reading.remarks if isinstance(one, Missed)]
    assert missed
    assert all(one.fetched for one in missed)


def test_what_is_never_stored_is_told_and_not_waited_for_long(tmp_path: Path) -> None:
    """The daemon could not store it, and its memory has let go of it."""
    limits = Limits(recent_bytes=64 * 1024)
    with Serving(tmp_path, frames(1, 10), limits=limits) as serving:
        reading = Reading(Tail(tmp_path).batches(Seq(10)))
        reading.upto(10)
        for first in range(11, 3011, 20):
            serving.tell(frames(first, first + 19, pad=300), store=False)
        reading.until(lambda: {*reading.seqs, *reading.gone} == set(range(10, 3011)))
    assert reading.gone
    assert len(reading.seqs) == len(set(reading.seqs))


def test_what_was_owed_is_fetched_from_the_next_daemon(tmp_path: Path) -> None:
    """The one that skipped it ended before it was told."""
    limits = Limits(recent_bytes=64 * 1024)
    newest = 10
    with Serving(tmp_path, frames(1, 10), limits=limits) as serving:
        reading = Reading(Tail(tmp_path).batches(Seq(10)))
        reading.upto(10)
        for _ in range(150):
            serving.tell(frames(newest + 1, newest + 20, pad=300))
            newest += 20
    reading.told(Gone)
    with Serving(tmp_path, frames(1, newest, pad=300)):
        reading.until(lambda: len(set(reading.seqs)) >= newest - 9)
    assert sorted(reading.seqs) == list(range(10, newest + 1))


def test_what_retention_took_is_told_and_not_fetched(tmp_path: Path) -> None:
    """It is nowhere."""
    with Serving(tmp_path, frames(100, 110)):
        reading = Reading(Tail(tmp_path, until=Seq(110)).batches(Seq(50)))
        reading.rest()
    assert reading.remarks == [Missed(50, 99, fetched=False)]
    assert reading.seqs == list(range(100, 111))


def test_only_what_is_wanted_comes(tmp_path: Path) -> None:
    """And a restart does not change that."""
    wanted = Filter(tools=frozenset({"aider"}))
    with Serving(tmp_path, frames(1, 10)) as serving:
        reading = Reading(Tail(tmp_path, wanted=wanted).batches(Seq(1)))
        serving.tell([frame_of(event(11, tool="aider"))])
        reading.upto(11)
    with Serving(tmp_path, [frame_of(event(seq, tool="aider")) for seq in range(5, 14)]):
        reading.upto(13)
    assert reading.seqs == [11, 12, 13]


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """And the rest goes on."""
    garbled = Frame(2, 2, traits_of(event(2)), b"?")
    with Serving(tmp_path, [*frames(1, 1), garbled, *frames(3, 3)]):
        reading = Reading(Tail(tmp_path, until=Seq(3)).batches(Seq(1)))
        reading.rest()
    assert reading.seqs == [1, 3]
    assert [type(one) for one in reading.remarks] == [Garbled]


def test_a_tail_ends_when_it_is_told_to(tmp_path: Path) -> None:
    """While it waits for events."""
    reader, writer = socket.socketpair()
    with Serving(tmp_path, frames(1, 3)), reader, writer:
        reading = Reading(Tail(tmp_path, ends=[reader]).batches(Seq(1)))
        reading.upto(3)
        writer.send(b"!")
        reading.rest()
    assert reading.seqs == [1, 2, 3]


def test_a_tail_ends_when_it_is_told_to_while_no_daemon_runs(tmp_path: Path) -> None:
    """It does not wait for one for ever."""
    reader, writer = socket.socketpair()
    with reader, writer:
        with Serving(tmp_path, frames(1, 3)):
            reading = Reading(Tail(tmp_path, ends=[reader]).batches(Seq(1)))
            reading.upto(3)
        reading.told(Gone)
        writer.send(b"!")
        reading.rest()
    assert [type(one) for one in reading.remarks] == [Gone]


def test_a_tail_ends_when_nobody_reads_what_it_writes(tmp_path: Path) -> None:
    """A pipe without a reader is readable, for poll(2) and select(2)."""
    out, into = os.pipe()
    with Serving(tmp_path, frames(1, 3)):
        reading = Reading(Tail(tmp_path, ends=[into]).batches(Seq(1)))
        reading.upto(3)
        os.close(out)
        reading.rest()
    os.close(into)


def test_without_a_daemon_a_tail_does_not_begin(tmp_path: Path) -> None:
    """It would wait for one that may never come."""
    with pytest.raises(NoDaemonError):
        Tail(tmp_path).batches(None)


def test_what_the_daemon_refuses_is_an_error(tmp_path: Path) -> None:
    """And not a daemon that is gone."""
    with (
        Serving(tmp_path, frames(1, 3)),
        pytest.raises(BadInputError, match="seq 9 is yet to come"),
    ):
        next(Tail(tmp_path).batches(Seq(9)))


def test_a_daemon_that_goes_while_it_is_asked_is_waited_for(tmp_path: Path) -> None:
    """It accepted, and said nothing."""
    with Serving(tmp_path, frames(1, 3)):
        reading = Reading(Tail(tmp_path).batches(Seq(1)))
        reading.upto(3)
    reading.told(Gone)
    path, over = tmp_path / "stream.sock", threading.Event()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    listener.settimeout(DEADLINE_S)

    def be_shy_then_well() -> None:
        listener.accept()[0].close()
        listener.close()
        path.unlink()
        with Serving(tmp_path, frames(1, 4)):
            over.wait(DEADLINE_S)

    thread = threading.Thread(target=be_shy_then_well)
    thread.start()
    reading.upto(4)
    over.set()
    thread.join(DEADLINE_S)
    assert reading.seqs == [1, 2, 3, 4]
    assert [type(one) for one in reading.remarks] == [Gone, Back]
