# SPDX-License-Identifier: Apache-2.0
"""The foreground sensor: attach, tell, and leave nothing behind.

Its pins lie in a bpffs of its own mount namespace, so the kernel takes the
probes away with the process, however it ends.
"""

from __future__ import annotations

import selectors
import signal
import socket
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.actions import Follow, Record
from sensor.core.catalogue import merge, parse
from sensor.core.engine import Engine
from sensor.daemon import reconcile
from sensor.daemon.instance import Pins
from sensor.daemon.probing import Probing, run_loader
from sensor.edge import mounts
from sensor.edge.host import LocalHost
from sensor.errors import BadInputError, SensorError
from sensor.wire.programs import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sensor.core.actions import Action
    from sensor.core.catalogue import Catalogue
    from sensor.core.event import Event
    from sensor.core.facts import Fact, Process

# The pins lie in a bpffs that nobody else sees: any name will do.
_RUN_DIR = Path("/watch")
# epoll_wait(2) takes milliseconds as an int; any less will do.
_LONGEST_S = 86_400.0


def catalogue() -> Catalogue:
    """Read the catalogue that comes with the sensor."""
    folder = Path(__file__).resolve().parent.parent / "catalogue"
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise SensorError(f"{folder} holds no catalogue: install agent-sensor again")
    return merge(parse(_text(path), where=str(path)) for path in files)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as problem:
        raise BadInputError(f"{path}: {problem}; write it in UTF-8") from problem


class Watch:
    """Watches ``scope`` (None: the host); events go to ``show``, remarks to ``say``."""

    def __init__(
        self, scope: Path | None, *, show: Callable[[Event], None], say: Callable[[str], None]
    ) -> None:
        self._top = mounts.cgroup2()
        self._scope = mounts.scope(scope)
        self._show = show
        self._say = say
        self._shown = 0

    def run(
        self, seconds: float | None, *, flush: Callable[[], None], reader: int | None = None
    ) -> None:
        """Watch until a signal to end comes, for so many seconds, or as long as somebody reads.

        ``reader`` is the pipe that events go to, if it is one. Raises
        SensorError where the probes cannot be had.
        """
        known = catalogue()
        with _ending() as end:
            bpffs = mounts.private_bpffs()
            loaded = run_loader(bpffs=bpffs, run_dir=_RUN_DIR, scope=self._scope)
            self._engine = Engine(known, LocalHost(self._top))
            self._probing = Probing(Pins(loaded.pins), self._take)
            self._probing.teach(known)
            self._reconcile()
            flush()
            self._announce(loaded.missing)
            started = time.monotonic()
            self._loop([end, *([] if reader is None else [reader])], seconds, flush)
        self._farewell(time.monotonic() - started)

    def _loop(
        self, ends: list[socket.socket | int], seconds: float | None, flush: Callable[[], None]
    ) -> None:
        """Sleep until records wait. Without a time to end there is no other reason to wake.

        A pipe without a reader is as readable as a socket that a signal was
        written to (poll(2), POLLERR): each of ``ends`` ends the loop.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for end in ends:
                selector.register(end, selectors.EVENT_READ)
            selector.register(self._probing.ring, selectors.EVENT_READ)
            while deadline is None or time.monotonic() < deadline:
                left = None if deadline is None else min(deadline - time.monotonic(), _LONGEST_S)
                ready = {key.fileobj for key, _ in selector.select(left)}
                self._probing.read()
                flush()
                if not ready.isdisjoint(ends):
                    return

    def _take(self, fact: Fact) -> None:
        for action in self._engine.see(fact):
            self._do(action)

    def _do(self, action: Action) -> None:
        self._probing.apply(action)
        if isinstance(action, Record):
            self._shown += 1
            self._show(action.event)

    def _reconcile(self) -> None:
        """Find what ran before. Twice: what a running tool forked meanwhile is its child now."""
        found: dict[Process, Process] = {}
        for _ in range(2):
            known = self._probing.members.find
            for fact in reconcile.running(self._scope, top=self._top, known=known):
                for action in self._engine.see(fact):
                    self._do(action)
                    if isinstance(action, Follow):
                        found[action.process] = action.root
        for connection in reconcile.connections(found):
            self._probing.follow_connection(connection)
            self._take(connection)

    def _announce(self, missing: dict[str, str]) -> None:
        place = "this host" if self._scope == self._top else str(self._scope)
        self._say(f"watching {place}; Ctrl-C ends it")
        for program in PROGRAMS:
            if program.name in missing:
                self._say(f"not seen: {program.sees} ({missing[program.name]})")

    def _farewell(self, seconds: float) -> None:
        lost = f", {self._probing.lost} records lost" if self._probing.lost else ""
        self._say(f"watched for {seconds:.0f} s: {self._shown} events{lost}")


@contextmanager
def _ending() -> Iterator[socket.socket]:
    """Turn SIGINT and SIGTERM into a readable socket; a second one ends at once."""
    reader, writer = socket.socketpair()
    reader.setblocking(False)  # noqa: FBT003  # the socket's own interface
    writer.setblocking(False)  # noqa: FBT003

    def once(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)

    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, once) for number in signals}
    woken = signal.set_wakeup_fd(writer.fileno())
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in before.items():
            signal.signal(number, handler)
        reader.close()
        writer.close()
