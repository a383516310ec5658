# SPDX-License-Identifier: Apache-2.0
"""A peer's requests are answered one at a time, right or wrong, and pages are counted."""

from __future__ import annotations

import pytest
from support.streams import event
from support.talk import Story

from sensor.errors import ExitCode, SensorError
from sensor.wire import answers
from sensor.wire.answers import (
    Done,
    Obeyed,
    Refused,
    State,
)
from sensor.wire.conversation import PAGE_BYTES, Pages
from sensor.wire.envelope import envelope
from sensor.wire.frame import frame_of


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
    assert story.talk.produce(Pages(1000)) == b""


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
    assert story.talk.produce(Pages(1000)) == answers.state({"mode": "observe"})
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
    while said := story.talk.produce(Pages(1000)):
        pages.append(len(said))
    assert len(pages) == 4
    assert max(pages) < PAGE_BYTES + 101_000
    assert story.seqs(do="query") == [*range(1, 8), Done(7)]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 513])
def test_pages_join(size: int) -> None:
    """Whether the last one is full, or one event long, or empty."""
    story = Story(newest=size)
    assert story.seqs(do="query") == [*range(1, size + 1), Done(size)]


def test_no_more_pages_are_read_than_may_be() -> None:
    """Those in which nothing passes count too; what is recent is no page."""
    story = Story(newest=600)
    story.talk.receive(envelope({"do": "query", "limit": 300}))
    pages = Pages(1)
    assert story.talk.produce(pages)
    assert story.talk.produce(pages) == b""
    assert story.talk.waits_for_page
    assert story.talk.is_asked
    assert story.more()[-1] == Done(300)
    assert not story.talk.waits_for_page
    story.talk.receive(envelope({"do": "fetch", "first": 1, "last": 9, "filter": {"tools": ["x"]}}))
    assert story.talk.produce(Pages(0)) == b""
    assert story.talk.produce(Pages(1)) == answers.done(9)
    story.publish(601, 602)
    assert story.seqs(do="query", since={"seq": 601}) == [601, 602, Done(602)]
