# SPDX-License-Identifier: Apache-2.0
"""The hub's side of one connection: requests in, answers out, as bytes on both sides.

It looks at nothing but what it is given. It produces an answer only when it is
asked for more bytes, and reads the next request only when it has answered the
last: a peer that does not read costs no more than its largest request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from sensor.core.subscription import (
    Finish,
    ReadPast,
    ReadRecent,
    Skip,
    Subscription,
    Wait,
)
from sensor.errors import BadInputError, FrameError, NotPermittedError, SensorError
from sensor.wire import answers
from sensor.wire.envelope import Reader
from sensor.wire.requests import (
    LARGEST_REQUEST_BYTES,
    Control,
    Fetch,
    Status,
    Subscribe,
    request_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.wire.sources import Sources

CHUNK_BYTES = 64 * 1024
"""About how much is produced at once; a third of what the kernel holds for a Unix socket."""

PAGE_BYTES = 256 * 1024
"""Most bytes of one page of the past that are kept until the peer takes them."""


STORE_PATIENCE_NS = 2_000_000_000
"""So long what was told and is not stored yet is waited for; a store that fails takes longer."""


@dataclass(slots=True)
class Pages:
    """How many pages of the past may still be read in this turn, by all peers together."""

    left: int


class Conversation:
    """Talks with one peer. ``over`` when nothing more will be said or heard.

    ``waits_for_page`` tells that what comes next is a page from the store that
    could not be read in this turn, ``waits_for_store`` that it is not there yet.
    ``ends_at_ns`` is when a subscription ends by the clock (CLOCK_BOOTTIME).
    """

    def __init__(self, sources: Sources, *, may_control: bool, pid: int | None = None) -> None:
        self._sources = sources
        self._may_control = may_control
        self._pid = pid
        self._reader = Reader(largest_bytes=LARGEST_REQUEST_BYTES)
        self._requests: Iterator[dict[str, object]] = iter(())
        # A fetch comes before the subscription during which it was asked for.
        self._subscription: Subscription | None = None
        self._fetch: Subscription | None = None
        self.skipped = 0
        self.over = False
        self.waits_for_page = self.waits_for_store = False
        self.ends_at_ns: int | None = None
        self._now_ns: int | None = None
        self._waits_since_ns: int | None = None

    @property
    def half_bytes(self) -> int:
        """How much of a request came that is not answered; it may not be whole."""
        return self._reader.waiting_bytes

    @property
    def is_asked(self) -> bool:
        """Whether there is a request that is still being answered."""
        return self._subscription is not None or self._fetch is not None

    def receive(self, piece: bytes) -> None:
        """Take bytes from the peer."""
        self._requests = self._reader.feed(piece)

    def produce(self, pages: Pages) -> bytes:
        """Return the next bytes for the peer.

        None when there is nothing to say before something comes: an event, a
        request, another turn's pages.
        """
        self.waits_for_page = self.waits_for_store = False
        if self.over:
            return b""
        try:
            said = self._answer_next()
        except FrameError as problem:
            return self.refuse(problem)
        return said or self._go_on(pages)

    def tick(self, now_ns: int) -> None:
        """End the subscription whose time has come. It is the only clock of this side."""
        self._now_ns = now_ns
        if self.ends_at_ns is not None and now_ns >= self.ends_at_ns and self._subscription:
            self._subscription.last = min(self._subscription.last, self._sources.recent.last)
            self.ends_at_ns = None

    def refuse(self, problem: SensorError) -> bytes:
        """Say why this is the end, and end it."""
        self.over = True
        return answers.refused(problem)

    def _answer_next(self) -> bytes:
        """Answer requests, up to the first that has something said to it at once.

        Raises FrameError at bytes that are none: what comes after them cannot be read.
        """
        for raw in self._requests:
            try:
                said = self._answer(raw)
            except SensorError as problem:
                said = answers.refused(problem)
            if said:
                return said
        return b""

    def _answer(self, raw: dict[str, object]) -> bytes:
        daemon = self._sources.daemon
        request = request_of(raw, controls=daemon.controls)
        match request:
            case Subscribe():
                return self._subscribe(request)
            case Fetch():
                if self._fetch is not None:
                    raise BadInputError("a fetch is under way: ask again after its `done`")
                self._fetch = Subscription(
                    first=request.first,
                    last=min(request.last, self._sources.recent.last),
                    wanted=request.filter,
                )
                return b""
            case Status():
                return answers.state(daemon.status())
            case Control():
                if not self._may_control:
                    raise NotPermittedError(f"{request.do}: only root may ask for this: use sudo")
                return answers.obeyed(daemon.control(replace(request, pid=self._pid)))
        assert_never(request)

    def _subscribe(self, request: Subscribe) -> bytes:
        if self._subscription is not None:
            raise BadInputError("this connection has a subscription: open another one")
        newest, oldest = self._sources.recent.last, self._sources.oldest()
        first, last = self._sources.first(request.since), self._sources.last(request)
        said = b""
        if first < oldest:
            # Retention has taken these; a reader who starts at 0 asks for what there is.
            if 0 < first <= last:
                said = self._skip(Skip(first, min(oldest - 1, last)))
            first = oldest
        if first > newest + 1:
            raise BadInputError(f"seq {first} is yet to come: the newest is {newest}")
        self._subscription = Subscription(
            first=first,
            last=last,
            limit=request.limit,
            wanted=request.filter,
            every=request.every,
        )
        self.ends_at_ns = self._sources.ends_at_ns(request)
        return said

    def _go_on(self, pages: Pages) -> bytes:
        """Return what comes next of what was asked for; a store that fails ends that."""
        while job := self._fetch or self._subscription:
            try:
                said = self._take(job, pages)
            except SensorError as problem:
                return self._end(job, answers.refused(problem))
            if said is None or said:
                return said or b""
        return b""

    def _take(self, job: Subscription, pages: Pages) -> bytes | None:
        """Take one step; None where nothing can be had now, no bytes where there is a next one."""
        window = self._sources.window()
        stored = self._sources.past.last_seq if job.is_behind(window) else window.last
        step = job.step(window, stored=stored, is_patient=self._is_patient())
        self._waits_since_ns = self._since() if step == Wait(for_store=True) else None
        match step:
            case ReadPast() if not pages.left:
                self.waits_for_page = True
                return None
            case ReadPast():
                pages.left -= 1
                return self._page(job, step)
            case ReadRecent():
                return self._recent(job, step)
            case Skip():
                return self._skip(step)
            case Finish(seq):
                return self._end(job, answers.done(seq))
            case Wait(for_store):
                self.waits_for_store = for_store
                return None
        assert_never(step)

    def _since(self) -> int | None:
        """Give since when the store is waited for, if that is now."""
        return self._now_ns if self._waits_since_ns is None else self._waits_since_ns

    def _is_patient(self) -> bool:
        since_ns, now_ns = self._waits_since_ns, self._now_ns
        return since_ns is None or now_ns is None or now_ns - since_ns < STORE_PATIENCE_NS

    def _page(self, job: Subscription, step: ReadPast) -> bytes:
        """Read a page; of one that is too large, what fits is given, and the rest read again."""
        rows = self._sources.past.read(step.first, step.last, job.wanted, step.limit)
        chosen: list[bytes] = []
        upto, left_bytes = step.last, PAGE_BYTES
        for seq, body in rows:
            chosen.append(answers.told(body))
            left_bytes -= len(body)
            if left_bytes <= 0 or len(chosen) == step.limit:
                upto = seq
                break
        job.advance(upto, len(chosen))
        return b"".join(chosen)

    def _recent(self, job: Subscription, step: ReadRecent) -> bytes:
        taken = self._sources.recent.take(
            step.first, step.last, job.wanted, most=step.limit, most_bytes=CHUNK_BYTES
        )
        job.advance(taken.upto, taken.count)
        return taken.content

    def _skip(self, skip: Skip) -> bytes:
        self.skipped += skip.last - skip.first + 1
        return answers.skipped(skip.first, skip.last)

    def _end(self, job: Subscription, last_words: bytes) -> bytes:
        if job is self._fetch:
            self._fetch = None
        else:
            self._subscription = self.ends_at_ns = None
        return last_words
