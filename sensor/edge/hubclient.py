# SPDX-License-Identifier: Apache-2.0
"""The reader's end of the stream: connect, ask, and go through what comes.

Blocking, as a command that prints is. Whatever goes wrong is a SensorError that
says what to do.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

from sensor.core.admission import HOW_TO_BE_LET_IN
from sensor.errors import (
    BadInputError,
    DaemonGoneError,
    ExitCode,
    FrameError,
    NoDaemonError,
    NotPermittedError,
    SensorError,
)
from sensor.wire.answers import (
    Answer,
    Done,
    Hello,
    Obeyed,
    Refused,
    Skipped,
    State,
    Told,
    answer_of,
)
from sensor.wire.envelope import Reader, envelope
from sensor.wire.frame import event_of
from sensor.wire.requests import Control, Fetch, Status, Subscribe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from sensor.core.event import Event
    from sensor.wire.requests import Request

_Expected = TypeVar("_Expected", Hello, State, Obeyed)

PATIENCE_S = 10.0
"""For a connection, and for an answer that comes at once from a daemon that lives."""

_RECEIVE_BYTES = 256 * 1024
_ERRORS: dict[int, type[SensorError]] = {
    ExitCode.NOT_PERMITTED: NotPermittedError,
    ExitCode.BAD_INPUT: BadInputError,
}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An event that came and could not be read: from a later version, most likely."""

    why: str


class Connection:
    """A connection to the daemon that listens at ``path``.

    Raises NoDaemonError, NotPermittedError, or SensorError for what the daemon
    says against it. ``hello`` is what it says of itself.
    """

    def __init__(self, path: Path, *, patience_s: float = PATIENCE_S) -> None:
        self._path = path
        self._patience_s = patience_s
        self._reader = Reader()
        self._asked = 0
        self._socket = _connect(path, patience_s)
        try:
            self.hello = self._expect(Hello)
        except SensorError:
            self.close()
            raise

    def fileno(self) -> int:
        """Return the socket's file descriptor."""
        return self._socket.fileno()

    def events(self, request: Subscribe | Fetch) -> Iterator[list[Event | Skipped | Unreadable]]:
        """Ask for events at once, and go through them, in the lists in which they arrive.

        A list is what one look at the socket gave, which may be nothing: whoever
        has other things to wait for asks for the next one when it is readable.
        Ends when all that was asked for was said. Raises DaemonGoneError when the
        daemon ends before, SensorError when it refuses.
        """
        self._ask(request)
        self._asked = 1
        return self._batches()

    def _batches(self) -> Iterator[list[Event | Skipped | Unreadable]]:
        while self._asked:
            batch: list[Event | Skipped | Unreadable] = []
            for answer in self._arrived(None):
                match answer:
                    case Told(body):
                        batch.append(_read(body))
                    case Skipped():
                        batch.append(answer)
                    case Done():
                        self._asked -= 1
                    case _:
                        raise self._unexpected(answer)
            yield batch

    @property
    def is_asked(self) -> bool:
        """Whether something that was asked for is still to come."""
        return self._asked > 0

    @property
    def is_fetching(self) -> bool:
        """Whether a fetch is under way; there can be one at a time."""
        return self._asked > 1

    def fetch(self, request: Fetch) -> None:
        """Ask for a range while going through ``events``: it comes there, before what follows."""
        self._ask(request)
        self._asked += 1

    def status(self) -> dict[str, object]:
        """Ask how the daemon is."""
        self._ask(Status())
        return self._expect(State).status

    def control(self, do: str, **arguments: object) -> dict[str, object]:
        """Have something changed; for root alone. Returns what there is to say of it."""
        self._ask(Control(do, arguments))
        return self._expect(Obeyed).result

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, request: Request) -> None:
        self._socket.settimeout(self._patience_s)
        try:
            self._socket.sendall(envelope(request.as_dict()))
        except BrokenPipeError:
            pass  # what the daemon said before it went is still to be read, and says more
        except OSError as problem:
            raise self._gone(problem) from problem

    def _expect(self, kind: type[_Expected]) -> _Expected:
        """Return the one answer that has to come now."""
        while True:
            for answer in self._arrived(self._patience_s):
                if isinstance(answer, kind):
                    return answer
                raise self._unexpected(answer)

    def _arrived(self, patience_s: float | None) -> Iterator[Answer]:
        """Wait for bytes, and return the answers that are whole then, or are left over."""
        if self._reader.waiting_bytes and (left := list(self._reader.feed(b""))):
            return map(answer_of, left)
        try:
            self._socket.settimeout(patience_s)
            piece = self._socket.recv(_RECEIVE_BYTES)
        except OSError as problem:
            raise self._gone(problem) from problem
        if not piece:
            raise self._gone("it ended the connection")
        return map(answer_of, self._reader.feed(piece))

    def _unexpected(self, answer: Answer) -> SensorError:
        if isinstance(answer, Refused):
            return _ERRORS.get(answer.code, SensorError)(answer.text)
        return FrameError(
            f"{self._path}: unexpected {type(answer).__name__.lower()} from the daemon"
        )

    def _gone(self, why: object) -> DaemonGoneError:
        return DaemonGoneError(
            f"the daemon at {self._path} is gone ({why}): see `systemctl status agent-sensor`"
        )


def _connect(path: Path, patience_s: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(patience_s)
    try:
        sock.connect(os.fspath(path))
    except PermissionError:
        sock.close()
        raise NotPermittedError(f"{path}: permission denied: {HOW_TO_BE_LET_IN}") from None
    except OSError as problem:
        sock.close()
        raise NoDaemonError(
            f"no daemon at {path} ({problem.strerror or problem}): start it with "
            "`systemctl start agent-sensor` or `agent-sensor run`"
        ) from problem
    return sock


def _read(body: bytes) -> Event | Unreadable:
    try:
        return event_of(body)
    except FrameError as problem:
        return Unreadable(str(problem))
