# SPDX-License-Identifier: Apache-2.0
"""Stories of one peer: what it asks, and what it hears."""

from __future__ import annotations

from support.streams import event, frames
from support.talk import Story

from sensor.core.event import Kind
from sensor.errors import ExitCode
from sensor.wire.answers import (
    Done,
    Refused,
    Skipped,
)
from sensor.wire.conversation import STORE_PATIENCE_NS
from sensor.wire.envelope import envelope
from sensor.wire.frame import frame_of


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


def test_what_is_about_to_be_stored_is_fetched_when_it_is() -> None:
    """A range that memory has no more and the store not yet is waited for."""
    story = Story(room=4000)
    story.talk.tick(1000)
    assert story.seqs(do="subscribe") == []
    story.publish(31, 100, store=False)
    [skipped, *_] = story.more()
    assert isinstance(skipped, Skipped)
    assert story.seqs(do="fetch", first=skipped.first, last=skipped.last) == []
    assert story.talk.waits_for_store
    story.talk.tick(1000 + STORE_PATIENCE_NS - 1)
    assert story.more() == []
    story.past.keep(frames(31, 100))
    assert story.more() == [*range(31, skipped.last + 1), Done(skipped.last)]


def test_a_store_that_fails_is_not_waited_for_long() -> None:
    """The present goes on, and what is missing is told as that."""
    story = Story(room=4000)
    story.talk.tick(1000)
    assert story.seqs(do="subscribe") == []
    story.publish(31, 100, store=False)
    [skipped, *_] = story.more()
    assert isinstance(skipped, Skipped)
    assert story.seqs(do="fetch", first=skipped.first, last=skipped.last) == []
    story.publish(101, 101, store=False)
    assert story.more() == []
    story.talk.tick(1000 + STORE_PATIENCE_NS)
    assert story.more() == [skipped, Done(skipped.last), 101]
