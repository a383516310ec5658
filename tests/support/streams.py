# SPDX-License-Identifier: Apache-2.0
"""A stream for tests: events, a store in memory, and a hub whose loop the test turns itself."""

from __future__ import annotations

import selectors
import socket
import time
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Self

from sensor.core.event import Event, Kind, ProcessView
from sensor.edge.door import Door
from sensor.edge.hub import Hub
from sensor.errors import SensorError
from sensor.wire.answers import Answer, Done, Hello, Skipped, State, Told, answer_of
from sensor.wire.envelope import Reader, envelope
from sensor.wire.frame import Frame, event_of, frame_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sensor.core.admission import Limits
    from sensor.core.filter import Filter
    from sensor.wire.requests import Control

WALL_OFFSET_NS = 1_795_442_400_000_000_000
DEADLINE_S = 20.0
HELLO = Hello(host="build-7", boot_id="b", seq=0, started_at="2026-11-23T14:00:00Z")


def event(seq: int, *, tool: str | None = "codex", kind: Kind = Kind.EXEC, pad: int = 0) -> Event:
    """Return the event with this number, which came so many nanoseconds after boot."""
    return Event(
        v=1,
        seq=seq,
        boot_id="b",
        host="build-7",
        at="2026-11-23T14:03:07.512345678Z",
        at_ns=seq,
        kind=kind,
        tool=tool,
        process=ProcessView(pid=seq, started_ns=seq, cwd="/" + "x" * pad, uid=1000, user="alice"),
    )


def frames(first: int, last: int, *, pad: int = 0) -> list[Frame]:
    """Return the frames of a range of events."""
    return [frame_of(event(seq, pad=pad)) for seq in range(first, last + 1)]


class MemoryPast:
    """A store in memory; it has what it was given."""

    def __init__(self, kept: Iterable[Frame] = ()) -> None:
        self._frames = list(kept)
        self.reads = 0
        self.problem: SensorError | None = None

    @property
    def last_seq(self) -> int:
        """The newest seq, 0 for none."""
        return self._frames[-1].seq if self._frames else 0

    def keep(self, more: Iterable[Frame]) -> None:
        """Store more."""
        self._frames += more

    def forget(self, upto: int) -> None:
        """Do as retention does."""
        self._frames = [frame for frame in self._frames if frame.seq > upto]

    def read(
        self,
        first: int,
        last: int,
        filter: Filter,  # noqa: A002  # as in the protocol
        limit: int,
    ) -> list[tuple[int, bytes]]:
        """Return a page."""
        self.reads += 1
        if self.problem is not None:
            raise self.problem
        start = bisect_left(self._frames, first, key=lambda frame: frame.seq)
        end = bisect_right(self._frames, last, key=lambda frame: frame.seq)
        found = (one for one in self._frames[start:end] if filter.accepts(one.traits))
        return [(frame.seq, frame.body) for frame, _ in zip(found, range(limit), strict=False)]

    def first_at(self, wall_ns: int) -> int | None:
        """Find a time."""
        for frame in self._frames:
            if frame.at_ns + WALL_OFFSET_NS >= wall_ns:
                return frame.seq
        return None


class HandClock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.ns = 0

    def now_ns(self) -> int:
        """Return what it was set to."""
        return self.ns

    def wall_offset_ns(self) -> int:
        """Return the same, always."""
        return WALL_OFFSET_NS

    def pass_s(self, seconds: float) -> None:
        """Let time go by."""
        self.ns += int(seconds * 1_000_000_000)


class StoryDaemon:
    """A daemon that is well, and stops when told to."""

    controls = frozenset({"stop"})

    def __init__(self) -> None:
        self.stopped: list[dict[str, object]] = []
        self.asker: int | None = None

    def status(self) -> dict[str, object]:
        """Be well."""
        return {"mode": "observe"}

    def control(self, request: Control) -> dict[str, object]:
        """Take note; refuse what is asked for a second time."""
        if self.stopped:
            raise SensorError("it has stopped already")
        self.stopped.append(request.arguments)
        self.asker = request.pid
        return {"stops": True}


class Turnstile:
    """A door through which the test pushes whom it likes."""

    def __init__(self) -> None:
        self.end, self._bell = socket.socketpair()
        self.waiting: list[tuple[socket.socket, int, int, bool]] = []

    def fileno(self) -> int:
        """Return what is readable when someone waits."""
        return self.end.fileno()

    def push(self, uid: int, *, may_read: bool = True) -> socket.socket:
        """Send somebody in; return their end."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003  # the socket's own interface
        self.waiting.append((ours, 7, uid, may_read))
        self._bell.send(b"!")
        return theirs

    def accept(self) -> tuple[socket.socket, int, int, bool] | None:
        """Return who waits."""
        return self.waiting.pop(0) if self.waiting else None

    def close(self) -> None:
        """Shut."""
        self.end.close()
        self._bell.close()


class Stage:
    """A hub, and a loop that the test turns."""

    def __init__(
        self,
        entry: Path | Turnstile,
        past: MemoryPast | None = None,
        *,
        limits: Limits | None = None,
        group: int | None = None,
    ) -> None:
        self.entry = entry
        self.past = past or MemoryPast()
        self.clock = HandClock()
        self.daemon = StoryDaemon()
        self.selector = selectors.DefaultSelector()
        hello = Hello(
            host=HELLO.host,
            boot_id=HELLO.boot_id,
            seq=self.past.last_seq,
            started_at=HELLO.started_at,
        )
        door = entry if isinstance(entry, Turnstile) else Door(entry, group=group)
        self.hub = Hub(
            door,
            hello=hello,
            past=self.past,
            daemon=self.daemon,
            clock=self.clock,
            limits=limits,
        )
        self.hub.register(self.selector)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hub.close()
        self.selector.close()

    def turn(self, wait_s: float = 0) -> None:
        """Turn the loop once."""
        for key, mask in self.selector.select(wait_s):
            key.data(mask)
        self.hub.turn()

    def until(self, is_so: Callable[[], bool]) -> None:
        """Turn the loop until something is so."""
        deadline = time.monotonic() + DEADLINE_S
        while not is_so():
            assert time.monotonic() < deadline, "it never came to be so"
            self.turn(0.001)

    def tell(self, new: list[Frame], *, store: bool = True) -> None:
        """Publish, and store at once or not."""
        self.hub.publish(new)
        if store:
            self.past.keep(new)


class Peer:
    """A reader that does as the test says."""

    def __init__(self, stage: Stage, end: socket.socket | None = None) -> None:
        self._stage = stage
        self._reader = Reader()
        self.socket = end or socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if end is None:
            self.socket.connect(str(stage.entry))
        self.socket.setblocking(False)  # noqa: FBT003  # the socket's own interface
        self.answers: list[Answer] = []
        self.seqs: list[int] = []
        self.is_over = False

    def ask(self, **request: object) -> None:
        """Send a request."""
        self.socket.sendall(envelope(request))

    def subscribe(self, **more: object) -> None:
        """Subscribe, and wait until that is so."""
        self.ask(do="subscribe", **more)
        self.ask(do="status")
        self.wait(State)

    def read(self) -> None:
        """Read what is there now."""
        try:
            while piece := self.socket.recv(1 << 20):
                for answer in map(answer_of, self._reader.feed(piece)):
                    self.answers.append(answer)
                    if isinstance(answer, Told):
                        self.seqs.append(event_of(answer.body).seq)
            self.is_over = True
        except BlockingIOError:
            pass
        except ConnectionResetError:
            self.is_over = True

    def until(self, is_so: Callable[[], bool]) -> None:
        """Read, while the loop turns, until something is so."""

        def check() -> bool:
            self.read()
            return is_so()

        self._stage.until(check)

    def wait(self, kind: type[Answer]) -> Answer:
        """Read until an answer of a kind comes; return it."""
        self.until(lambda: any(isinstance(one, kind) for one in self.answers))
        return next(one for one in self.answers if isinstance(one, kind))

    @property
    def skipped(self) -> list[tuple[int, int]]:
        """What was skipped so far."""
        return [(one.first, one.last) for one in self.answers if isinstance(one, Skipped)]

    @property
    def done(self) -> list[int]:
        """What has ended so far."""
        return [one.seq for one in self.answers if isinstance(one, Done)]
