# SPDX-License-Identifier: Apache-2.0
"""Stories of one peer: what it asks, and what it hears."""

from __future__ import annotations

import pytest
from support.streams import HandClock, MemoryPast, StoryDaemon, event, frames

from sensor.core.event import Kind
from sensor.core.recent import Recent
from sensor.errors import ExitCode, SensorError
from sensor.wire import answers
from sensor.wire.answers import (
    Answer,
    Done,
    Obeyed,
    Refused,
    Skipped,
    State,
    Told,
    answer_of,
)
from sensor.wire.conversation import PAGE_BYTES, Conversation
from sensor.wire.envelope import Reader, envelope
from sensor.wire.frame import event_of, frame_of
from sensor.wire.sources import Sources


class Story:
    """A conversation with a stream of which the first 30 events are stored."""

    def __init__(self, *, may_control: bool = True, room: int = 1 << 20, newest: int = 30) -> None:
        self.past = MemoryPast(frames(1, newest))
        self.clock = HandClock()
        self.clock.ns = 1000
        self.recent = Recent(limit_bytes=room, last=newest)
        sources = Sources(
            recent=self.recent, past=self.past, daemon=StoryDaemon(), clock=self.clock
        )
        self.talk = Conversation(sources, may_control=may_control)
        self._reader = Reader()

    def publish(self, first: int, last: int, *, store: bool = True) -> None:
        """Let events come."""
        new = frames(first, last)
        for seq, at_ns, traits, body in new:
            self.recent.add(seq, at_ns, traits, answers.told(body))
        if store:
            self.past.keep(new)

    def ask(self, **request: object) -> list[Answer]:
        """Ask, and hear all there is to hear now."""
        self.talk.receive(envelope(request))
        return self.hear()

    def hear(self) -> list[Answer]:
        """Hear all there is to hear now."""
        heard: list[Answer] = []
        while (said := self.talk.produce()) or self.talk.reads_past:
            heard += map(answer_of, self._reader.feed(said))
        return heard

    def seqs(self, **request: object) -> list[int | Answer]:
        """Ask, and hear; an event is its number."""
        return [_short(one) for one in self.ask(**request)]

    def more(self) -> list[int | Answer]:
        """Hear; an event is its number."""
        return [_short(one) for one in self.hear()]


def _short(answer: Answer) -> int | Answer:
    return event_of(answer.body).seq if isinstance(answer, Told) else answer


def test_a_subscription_gives_what_comes() -> None:
    """Without a point to start from, nothing of the past."""
    story = Story()
    assert story.seqs(do="subscribe") == []
    assert story.talk.is_asked
    story.publish(31, 32)
    assert story.more() == [31, 32]
    assert story.more() == []


def test_past_and_present_have_no_seam() -> None:
    """What is stored, in memory only, and to come follow each other."""
    story = Story()
    story.publish(31, 40, store=False)
    assert story.seqs(do="subscribe", since={"seq": 28}) == list(range(28, 41))
    story.publish(41, 41)
    assert story.more() == [41]


def test_a_query_ends() -> None:
    """With the seq up to which it has looked."""
    story = Story()
    assert story.seqs(do="query", since={"seq": 29}) == [29, 30, Done(30)]
    assert not story.talk.is_asked
    assert story.seqs(do="query", since={"seq": 3}, limit=2) == [3, 4, Done(4)]
    assert story.seqs(do="query", since={"seq": 3}, until={"seq": 4}) == [3, 4, Done(4)]


def test_a_filter_holds_for_past_and_present() -> None:
    """A page of the past in which nothing passes is no end."""
    story = Story()
    story.past.keep([frame_of(event(31, kind=Kind.EXIT))])
    story.recent.add(31, 31, frame_of(event(31, kind=Kind.EXIT)).traits, b"")
    story.publish(32, 33)
    assert story.seqs(do="query", filter={"tools": ["aider"]}) == [Done(33)]
    story.publish(34, 40, store=False)
    assert story.seqs(do="query", filter={"tools": ["aider"]}) == [Done(40)]
    assert story.seqs(do="subscribe", since={"seq": 29}, filter={"kinds": ["exec"]}) == [
        29, 30, *range(32, 41),
    ]  # fmt: skip


def test_a_slow_reader_is_told_what_it_missed_and_can_fetch_it() -> None:
    """Exactly that, between what it has and what follows; without a limit of its own."""
    story = Story(room=4000)
    assert story.seqs(do="subscribe") == []
    story.publish(31, 100)
    [skipped, *rest] = story.more()
    assert isinstance(skipped, Skipped)
    assert rest == list(range(skipped.last + 1, 101))
    assert story.talk.skipped == skipped.last - 30
    fetched = story.seqs(do="fetch", first=skipped.first, last=skipped.last)
    assert fetched == [*range(31, skipped.last + 1), Done(skipped.last)]
    story.publish(101, 101)
    assert story.more() == [101]


def test_who_wants_every_event_waits_for_the_store() -> None:
    """What is no longer in memory and not yet stored comes when it is."""
    story = Story(room=4000)
    assert story.seqs(do="subscribe", every=True) == []
    story.publish(31, 100, store=False)
    assert story.more() == []
    assert story.talk.waits_for_store
    story.past.keep(frames(31, 100))
    assert story.more() == list(range(31, 101))
    assert not story.talk.waits_for_store


def test_a_fetch_comes_before_what_follows() -> None:
    """And one at a time; what is not there is left out."""
    story = Story()
    story.ask(do="subscribe")
    story.talk.receive(
        envelope({"do": "fetch", "first": 29, "last": 30, "filter": {"tools": ["codex"]}})
        + envelope({"do": "fetch", "first": 1, "last": 2})
    )
    story.publish(31, 31)
    heard = story.more()
    assert heard == [
        Refused("a fetch is under way: ask again after its `done`", ExitCode.BAD_INPUT),
        29,
        30,
        Done(30),
        31,
    ]


def test_what_retention_took_is_told() -> None:
    """Unless the reader asked for what there is."""
    story = Story()
    story.past.forget(10)
    assert story.seqs(do="query", since={"seq": 9})[:2] == [Skipped(9, 10), 11]
    assert story.seqs(do="query", since={"seq": 2}, until={"seq": 5}) == [Skipped(2, 5), Done(10)]
    assert story.seqs(do="query")[0] == 11
    assert story.seqs(do="query", since={"seq": 2}, until={"seq": 1}) == [Done(10)]


def test_a_subscription_may_start_at_the_next_event_and_no_later() -> None:
    """A reader that waits for a number of another life would wait for ever."""
    story = Story()
    assert story.seqs(do="subscribe", since={"seq": 32}) == [
        Refused("seq 32 is yet to come: the newest is 30", ExitCode.BAD_INPUT)
    ]
    assert story.seqs(do="subscribe", since={"seq": 31}) == []


def test_a_connection_has_one_subscription() -> None:
    """Order would mean nothing with two."""
    story = Story()
    story.ask(do="subscribe")
    assert story.seqs(do="query") == [
        Refused("this connection has a subscription: open another one", ExitCode.BAD_INPUT)
    ]


def test_a_subscription_ends_by_the_clock() -> None:
    """At its time, whether events come or not."""
    story = Story()
    story.ask(do="subscribe", until={"at_ns": 2000})
    assert story.talk.ends_at_ns == 2000
    story.publish(31, 31)
    story.talk.tick(1999)
    assert story.more() == [31]
    story.talk.tick(2000)
    assert story.more() == [Done(31)]
    assert story.talk.ends_at_ns is None
    story.talk.tick(3000)


def test_the_daemon_says_how_it_is() -> None:
    """During a subscription too."""
    story = Story()
    story.ask(do="subscribe")
    assert story.ask(do="status") == [State({"mode": "observe"})]


def test_root_controls() -> None:
    """And hears what came of it, or why nothing did."""
    story = Story()
    assert story.ask(do="stop", soon=True) == [Obeyed({"stops": True})]
    assert story.ask(do="stop") == [Refused("it has stopped already", ExitCode.FAILED)]


def test_others_do_not_control() -> None:
    """They are told, and go on reading."""
    story = Story(may_control=False)
    assert story.ask(do="stop") == [
        Refused("stop: only root may ask for this: use sudo", ExitCode.NOT_PERMITTED)
    ]
    assert story.ask(do="status") == [State({"mode": "observe"})]


def test_a_request_that_is_not_understood_is_answered() -> None:
    """The next one is heard."""
    story = Story()
    [refused, state] = [*story.ask(do="hack"), *story.ask(do="status")]
    assert isinstance(refused, Refused)
    assert refused.code == ExitCode.BAD_INPUT
    assert isinstance(state, State)


def test_bytes_that_are_no_request_are_the_end() -> None:
    """What follows them cannot be found."""
    story = Story()
    story.talk.receive(b"GET / HTTP/1.1\r\n\r\n" + envelope({"do": "status"}))
    [refused] = story.hear()
    assert isinstance(refused, Refused)
    assert story.talk.over
    assert story.talk.produce() == b""


def test_half_a_request_waits() -> None:
    """How much of it came can be seen."""
    story = Story()
    story.talk.receive(envelope({"do": "status"})[:7])
    assert story.hear() == []
    assert story.talk.half_bytes == 7
    story.talk.receive(envelope({"do": "status"})[7:])
    assert story.hear() == [State({"mode": "observe"})]
    assert story.talk.half_bytes == 0


def test_one_request_is_answered_at_a_time() -> None:
    """A thousand requests from a peer that does not read are one answer in memory."""
    story = Story()
    story.talk.receive(envelope({"do": "status"}) * 1000)
    assert story.talk.produce() == answers.state({"mode": "observe"})
    assert story.talk.half_bytes == 999 * len(envelope({"do": "status"}))


def test_a_store_that_fails_ends_the_request() -> None:
    """With its own words; the connection lives."""
    story = Story()
    story.past.problem = SensorError("disk I/O error")
    assert story.seqs(do="query") == [Refused("disk I/O error", ExitCode.FAILED)]
    assert story.seqs(do="fetch", first=1, last=99) == [Refused("disk I/O error", ExitCode.FAILED)]
    story.past.problem = None
    assert story.seqs(do="query", limit=1) == [1, Done(1)]


def test_a_page_of_large_events_is_cut() -> None:
    """What does not fit is read again, and nothing is lost."""
    story = Story(newest=0)
    large = [frame_of(event(seq, pad=100_000)) for seq in range(1, 8)]
    story.past.keep(large)
    for seq, at_ns, traits, _ in large:
        story.recent.add(seq, at_ns, traits, bytes(1 << 21))
    story.talk.receive(envelope({"do": "query"}))
    pages = []
    while said := story.talk.produce():
        pages.append(len(said))
    assert len(pages) == 4
    assert max(pages) < PAGE_BYTES + 101_000
    assert story.seqs(do="query") == [*range(1, 8), Done(7)]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 513])
def test_pages_join(size: int) -> None:
    """Whether the last one is full, or one event long, or empty."""
    story = Story(newest=size)
    assert story.seqs(do="query") == [*range(1, size + 1), Done(size)]
