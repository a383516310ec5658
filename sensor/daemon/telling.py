# SPDX-License-Identifier: Apache-2.0
"""The way out of the daemon: each event to the readers at once, and to the store."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from sensor.core.facts import Gap
from sensor.edge.store_writer import Missed, Recovered, Stuck, Writer
from sensor.wire.frame import frame_of
from sensor.wire.row import row_of

if TYPE_CHECKING:
    import selectors
    from collections.abc import Callable, Iterator

    from sensor.core.event import Event
    from sensor.core.facts import Fact
    from sensor.daemon.exporting import Exporting
    from sensor.edge.hub import Hub


class Telling:
    """Collects events, and hands them on once a turn of the loop, to a hub and a writer.

    ``say`` is for the operator's log.
    """

    def __init__(self, *, say: Callable[[str], None]) -> None:
        self._say = say
        self._fresh: list[Event] = []
        self._hub: Hub | None = None
        self._writer: Writer | None = None
        self._exporting: Exporting | None = None
        self.counts: Counter[str] = Counter()
        self.next_seq = 1

    def tell(self, event: Event) -> None:
        """Take an event, in the order of their seqs."""
        self._fresh.append(event)

    def begin(
        self, hub: Hub, writer: Writer, exporting: Exporting, selector: selectors.BaseSelector
    ) -> None:
        """Hand on what there is, and all that comes."""
        self._hub, self._writer, self._exporting = hub, writer, exporting
        hub.register(selector)
        self.turn()

    def turn(self) -> None:
        """Hand on what is fresh, and serve the readers."""
        if self._hub is None or self._writer is None or self._exporting is None:
            return
        if fresh := self._fresh:
            self._fresh = []
            frames = [frame_of(event) for event in fresh]
            # The writer first: it notes what is about to be told.
            self._writer.put(
                [row_of(event, frame.body) for event, frame in zip(fresh, frames, strict=True)]
            )
            self._hub.publish(frames)
            self._exporting.tell(fresh, now_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME))
            self.counts.update(event.kind.value for event in fresh)
            self.next_seq = fresh[-1].seq + 1
        self._hub.turn()
        self._exporting.turn()

    def timeout(self) -> float | None:
        """Say how long the loop may sleep; None: until something happens."""
        if self._hub is None or self._exporting is None:
            return None
        waits = (self._hub.timeout(), self._exporting.timeout())
        return min((wait for wait in waits if wait is not None), default=None)

    def news(self) -> Iterator[Fact]:
        """Give what the store has to tell, as facts for the stream, and tell the operator."""
        for news in self._writer.news() if self._writer else ():
            match news:
                case Stuck(problem):
                    self._say(f"events cannot be stored: {problem}")
                case Recovered():
                    self._say("events are stored again")
                case Missed(hole):
                    yield Gap(
                        at_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
                        from_wall_ns=time.time_ns(),
                        why=f"told, and not kept: {hole.why}",
                        seqs=(hole.first_seq, hole.last_seq),
                    )

    def end(self) -> None:
        """Hand on the last events, let the readers go and store what waits."""
        with suppress(OSError):
            self.turn()
        if self._hub:
            self._hub.close()
        if self._writer and not self._writer.close(self.next_seq):
            self._say("the last events could not be stored; the next start will say which")
