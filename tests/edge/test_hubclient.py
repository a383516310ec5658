# SPDX-License-Identifier: Apache-2.0
"""The reader's end: events as they come, and a sentence for everything that goes wrong."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgpack
import pytest
from support.streams import HELLO, MemoryPast, Stage, event, frames

from sensor.core.event import Event
from sensor.core.filter import Filter
from sensor.core.form import fields_of
from sensor.edge.hubclient import Connection, Unreadable
from sensor.errors import (
    BadInputError,
    DaemonGoneError,
    FrameError,
    NoDaemonError,
    NotPermittedError,
    SensorError,
)
from sensor.wire import answers
from sensor.wire.answers import Skipped
from sensor.wire.requests import Fetch, Point, Scale, Subscribe

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534
GROUP = 64_242
ALL = Subscribe(since=Point(Scale.SEQ, 1), follow=False)
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

VISIT = """
import sys
from pathlib import Path
from sensor.edge.hubclient import Connection
from sensor.errors import SensorError
from sensor.wire.requests import Subscribe, Point, Scale
try:
    with Connection(Path(sys.argv[1])) as connection:
        request = Subscribe(since=Point(Scale.SEQ, 1), follow=False)
        print([one.seq for batch in connection.events(request) for one in batch])
        print(connection.control("stop"))
except SensorError as problem:
    print(type(problem).__name__, problem)
"""


@pytest.fixture
def path() -> Iterator[Path]:
    """Return a path that everybody can get to, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "stream.sock"


@contextmanager
def turning(stage: Stage) -> Iterator[None]:
    """Turn a hub's loop beside the test."""
    is_over = threading.Event()
    thread = threading.Thread(target=stage.until, args=(is_over.is_set,))
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@contextmanager
def saying(path: Path, said: bytes, answer: bytes = b"") -> Iterator[None]:
    """Be a daemon that says this to whoever comes, answers one request, and ends."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()

        def serve() -> None:
            peer, _ = door.accept()
            with peer:
                peer.sendall(said)
                if answer:
                    peer.recv(1000)
                    peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


class Tail:
    """A reader in a thread of its own, that fetches what was skipped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.seqs: list[int] = []

    def _run(self) -> None:
        missed: list[Fetch] = []
        with Connection(self._path) as connection, suppress(DaemonGoneError):
            for batch in connection.events(Subscribe(since=Point(Scale.SEQ, 0))):
                for one in batch:
                    match one:
                        case Event():
                            self.seqs.append(one.seq)
                        case Skipped(first, last):
                            missed.append(Fetch(first=first, last=last))
                if missed and not connection.is_fetching:
                    connection.fetch(missed.pop(0))


def flat(connection: Connection, request: Subscribe | Fetch) -> list[object]:
    """Go through everything; an event is its number."""
    return [
        one.seq if isinstance(one, Event) else one
        for batch in connection.events(request)
        for one in batch
    ]


def test_events_come_as_they_were(path: Path) -> None:
    """Past ones in order, to the end."""
    with (
        Stage(path, MemoryPast(frames(1, 1000))) as stage,
        turning(stage),
        Connection(path) as connection,
    ):
        assert connection.hello.seq == 1000
        assert connection.hello.host == HELLO.host
        assert flat(connection, ALL) == list(range(1, 1001))
        [first] = [one for batch in connection.events(Fetch(first=7, last=7)) for one in batch]
        assert first == event(7)
        filtered = Subscribe(follow=False, filter=Filter(tools=frozenset({"aider"})))
        assert flat(connection, filtered) == []
        assert connection.fileno() >= 0
        with pytest.raises(BadInputError, match="seq 1002 is yet to come: the newest is 1000"):
            flat(connection, Subscribe(since=Point(Scale.SEQ, 1002)))


def test_events_come_when_they_come(path: Path) -> None:
    """A list is what has arrived; what was skipped can be fetched on the way."""
    reader = Tail(path)
    with Stage(path) as stage:
        reader.thread.start()
        stage.tell(frames(1, 3))
        stage.until(lambda: reader.seqs == [1, 2, 3])
        stage.tell(frames(4, 20_000, pad=1000))
        stage.until(lambda: len(reader.seqs) == 20_000)
    reader.thread.join()
    assert sorted(reader.seqs) == list(range(1, 20_001))


def test_status_and_control(path: Path) -> None:
    """One answer each, or why not."""
    with Stage(path) as stage, turning(stage), Connection(path) as connection:
        assert connection.status() == {"mode": "observe"}
        assert connection.control("stop", soon=True) == {"stops": True}
        assert stage.daemon.stopped == [{"soon": True}]
        with pytest.raises(SensorError, match="it has stopped already"):
            connection.control("stop")
        with pytest.raises(BadInputError, match="unknown hack: expected fetch, query, status"):
            connection.control("hack")


def test_without_a_daemon(path: Path) -> None:
    """There is no socket, or nobody at it."""
    with pytest.raises(NoDaemonError, match=r"no daemon at .* \(No such file.*: start it with"):
        Connection(path)
    with closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(str(path))
    with pytest.raises(NoDaemonError, match=r"no daemon at .* \(Connection refused\): start it"):
        Connection(path)
    with pytest.raises(NoDaemonError, match=r"no daemon at .* \(AF_UNIX path too long\)"):
        Connection(path.with_name("x" * 200))


@pytest.mark.parametrize(
    ("said", "kind", "says"),
    [
        (b"", DaemonGoneError, "is gone .it ended the connection.: see `systemctl status"),
        (b"HTTP/1.1 400", FrameError, "a frame of version 47: only 1 is understood here"),
        (answers.done(1), FrameError, "unexpected done from the daemon"),
        (answers.refused(SensorError("no room")), SensorError, "^no room$"),
        (answers.refused(NotPermittedError("no right")), NotPermittedError, "^no right$"),
        (answers.hello(HELLO)[:9], DaemonGoneError, "is gone"),
    ],
)
def test_a_daemon_that_says_no_or_nonsense(
    path: Path, said: bytes, kind: type[SensorError], says: str
) -> None:
    """Every answer but a hello is an error with its own words."""
    with saying(path, said), pytest.raises(kind, match=says):
        Connection(path)


def test_a_daemon_that_says_nothing_is_not_waited_for(path: Path) -> None:
    """It may be stopped in a debugger."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()
        with pytest.raises(DaemonGoneError, match="timed out"):
            Connection(path, patience_s=0.01)


def test_a_daemon_that_goes_is_missed(path: Path) -> None:
    """While events are awaited, and when something is asked."""
    stage = Stage(path)
    with turning(stage):
        connection = Connection(path)
        stream = connection.events(Subscribe(since=Point(Scale.SEQ, 0)))
        stage.tell(frames(1, 1))
        assert [one.seq for one in next(stream) if isinstance(one, Event)] == [1]
    stage.__exit__()
    with pytest.raises(DaemonGoneError):
        next(stream)
    with pytest.raises(DaemonGoneError):
        connection.status()
    connection.close()


def test_an_event_of_a_later_version_does_not_end_the_stream(path: Path) -> None:
    """It is shown as what cannot be read, and why."""
    later = msgpack.packb({**fields_of(event(1)), "kind": "teleport"})
    said = [
        answers.told(later), answers.skipped(2, 3), answers.told(frames(4, 4)[0].body),
        answers.done(4),
    ]  # fmt: skip
    with saying(path, answers.hello(HELLO), b"".join(said)), Connection(path) as connection:
        connection_said = flat(connection, ALL)
    assert connection_said == [Unreadable("event: kind: unknown teleport"), Skipped(2, 3), 4]


def test_a_daemon_that_goes_says_why(path: Path) -> None:
    """What it said last is heard, also by a reader that asks too late."""
    last_words = answers.refused(SensorError("60 s without a whole request: connect again"))
    with saying(path, answers.hello(HELLO) + last_words):
        connection = Connection(path)
    with connection, pytest.raises(SensorError, match="60 s without a whole request"):
        connection.status()


def visit(stage: Stage, path: Path, *, gid: int = NOBODY, groups: tuple[int, ...] = ()) -> str:
    """Have nobody read the stream, and try to stop the daemon."""
    with turning(stage):
        done = subprocess.run(
            [sys.executable, "-c", VISIT, path],
            user=NOBODY,
            group=gid,
            extra_groups=groups,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=20,
        )
    return done.stdout


@ROOT
def test_an_unprivileged_peer_is_refused(path: Path) -> None:
    """By the kernel, and by the daemon where the mode has become too wide."""
    with Stage(path, MemoryPast(frames(1, 3)), group=GROUP) as stage:
        assert visit(stage, path) == (
            f"NotPermittedError {path}: permission denied: be root, or have root add you to the "
            "group agent-sensor (`usermod -aG agent-sensor USER`) and log in again\n"
        )
        path.chmod(0o666)
        assert visit(stage, path).startswith(
            "NotPermittedError uid 65534 may not read the stream: be root, or have root add you"
        )


@ROOT
@pytest.mark.parametrize(("gid", "groups"), [(GROUP, ()), (NOBODY, (GROUP,))])
def test_a_member_of_the_group_reads_and_does_not_control(
    path: Path, gid: int, groups: tuple[int, ...]
) -> None:
    """Being in the group is enough to see, and never enough to change."""
    with Stage(path, MemoryPast(frames(1, 3)), group=GROUP) as stage:
        assert visit(stage, path, gid=gid, groups=groups) == (
            "[1, 2, 3]\nNotPermittedError stop: only root may ask for this: use sudo\n"
        )
        assert stage.daemon.stopped == []
