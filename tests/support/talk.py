# SPDX-License-Identifier: Apache-2.0
"""A conversation of one peer with a stream, without a socket."""

from __future__ import annotations

from sensor.core.recent import Recent
from sensor.wire import answers
from sensor.wire.answers import (
    Answer,
    Told,
    answer_of,
)
from sensor.wire.conversation import Conversation, Pages
from sensor.wire.envelope import Reader, envelope
from sensor.wire.frame import event_of
from sensor.wire.sources import Sources
from support.streams import HandClock, MemoryPast, StoryDaemon, frames


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
        while said := self.talk.produce(Pages(1000)):
            heard += map(answer_of, self._reader.feed(said))
        return heard

    def seqs(self, **request: object) -> list[int | Answer]:
        """Ask, and hear; an event is its number."""
        return [short(one) for one in self.ask(**request)]

    def more(self) -> list[int | Answer]:
        """Hear; an event is its number."""
        return [short(one) for one in self.hear()]


def short(answer: Answer) -> int | Answer:
    """Return the number of an event, anything else as it is."""
    return event_of(answer.body).seq if isinstance(answer, Told) else answer
