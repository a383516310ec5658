# SPDX-License-Identifier: Apache-2.0
"""The foreground sensor: attach, tell, and leave nothing behind.

Its pins lie in a bpffs of its own mount namespace, so the kernel takes the
probes away with the process, however it ends.
"""

from __future__ import annotations

import selectors
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.engine import Engine
from sensor.daemon.catalogues import catalogue
from sensor.daemon.ending import signals
from sensor.daemon.instance import Pins
from sensor.daemon.probing import run_loader
from sensor.daemon.sensing import Sensing
from sensor.edge import mounts
from sensor.edge.host import LocalHost
from sensor.edge.users import Users
from sensor.wire.programs import PROGRAMS, STAND_BYS

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from sensor.core.event import Event

# The pins lie in a bpffs that nobody else sees: any name will do.
_RUN_DIR = Path("/watch")
# epoll_wait(2) takes milliseconds as an int; any less will do.
_LONGEST_S = 86_400.0


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
        with signals() as end:
            bpffs = mounts.private_bpffs()
            loaded = run_loader(
                bpffs=bpffs, run_dir=_RUN_DIR, scope=self._scope, observes=True, say=self._say
            )
            host, pins = LocalHost(self._top, Users().name), Pins(loaded.pins)
            engine = Engine(known, host, looks=True)
            self._sensing = Sensing(pins, engine, tell=self._tell)
            self._sensing.probing.teach(known)
            self._contents = self._sensing.look_inside(known, pins, self._scope, top=self._top)
            self._sensing.reconcile(self._scope, top=self._top)
            self._contents.watch()
            flush()
            self._sensing.looking.begin()
            self._announce(loaded.missing)
            started = time.monotonic()
            try:
                self._loop([end, *([] if reader is None else [reader])], seconds, flush)
                self._sensing.finish()
                flush()
            finally:
                self._contents.close()
                self._sensing.looking.close()
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
            probing, looking = self._sensing.probing, self._sensing.looking
            for source in probing.verdicts, probing.ring, looking:
                selector.register(source, selectors.EVENT_READ)
            self._contents.register(selector)
            while deadline is None or time.monotonic() < deadline:
                left = None if deadline is None else min(deadline - time.monotonic(), _LONGEST_S)
                due = [one for one in (left, self._contents.timeout()) if one is not None]
                ready = {key.fileobj for key, _ in selector.select(min(due, default=None))}
                self._sensing.read()
                self._sensing.look()
                self._contents.read()
                self._contents.turn()
                flush()
                if not ready.isdisjoint(ends):
                    return

    def _tell(self, event: Event) -> None:
        self._shown += 1
        self._show(event)

    def _announce(self, missing: dict[str, str]) -> None:
        place = "this host" if self._scope == self._top else str(self._scope)
        self._say(f"watching {place}; Ctrl-C ends it")
        for program in (*PROGRAMS, *STAND_BYS):
            if program.name in missing:
                self._say(f"not seen: {program.sees} ({missing[program.name]})")

    def _farewell(self, seconds: float) -> None:
        lost = f", {self._sensing.probing.lost} records lost" if self._sensing.probing.lost else ""
        self._say(f"watched for {seconds:.0f} s: {self._shown} events{lost}")
