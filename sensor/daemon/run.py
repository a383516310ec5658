# SPDX-License-Identifier: Apache-2.0
"""The daemon: one process, one loop, over probes that outlive it.

A kill leaves the probes attached and recording; the next start takes them
over, goes on with the sessions, and declares the time between as a gap.
"""

from __future__ import annotations

import selectors
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.engine import Engine
from sensor.core.facts import Health
from sensor.core.rights import RUNNING
from sensor.core.wall import rfc3339
from sensor.core.words import SENSOR
from sensor.daemon import standby
from sensor.daemon.audit_worker import Auditing
from sensor.daemon.catalogues import DIRECTORY, catalogue
from sensor.daemon.ending import ENDING, received, signals
from sensor.daemon.exporting import Exporting
from sensor.daemon.footing import Footing
from sensor.daemon.instance import Instance, Loaded, Pins
from sensor.daemon.lookback import Before, look_back
from sensor.daemon.probing import run_loader
from sensor.daemon.sensing import Sensing
from sensor.daemon.standing import Clock, Standing, without_group
from sensor.daemon.teaching import Teaching
from sensor.daemon.telling import Telling
from sensor.edge import capabilities, mounts
from sensor.edge.door import Door
from sensor.edge.host import LocalHost, group_id
from sensor.edge.hub import Hub
from sensor.edge.notify import Notify
from sensor.edge.store import Begun, Store
from sensor.edge.store_told import Told
from sensor.edge.store_writer import Keep, Writer
from sensor.edge.system import lock
from sensor.edge.users import Users
from sensor.errors import SensorError
from sensor.wire.answers import Hello

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from sensor.core.catalogue import Catalogue
    from sensor.core.config import Config
    from sensor.core.event import Event
    from sensor.daemon.refusing import Refusing

_READ = selectors.EVENT_READ


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the daemon keeps things."""

    state_dir: Path
    run_dir: Path
    bpffs: Path
    policy: Path = standby.DEFAULT
    """Where policy is, if it is there and no other was named."""
    catalog: Path = DIRECTORY
    """Where files are that add to the catalogue."""

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.state_dir / "events.db"

    @property
    def told(self) -> Path:
        """The note of what was told."""
        return self.run_dir / "told"

    @property
    def socket(self) -> Path:
        """The stream's socket."""
        return self.run_dir / "stream.sock"


class Daemon:
    """The sensor as a daemon; ``say`` is for the operator's log."""

    def __init__(self, config: Config, places: Places, *, say: Callable[[str], None]) -> None:
        self._config = config
        self._places = places
        self._say = say
        self._top = mounts.cgroup2()
        self._scope = mounts.scope(Path(config.scope) if config.scope else None)
        self._bpffs = mounts.bpffs(places.bpffs)
        self._host = LocalHost(self._top, Users().name)
        self._notify = Notify()
        self._telling = Telling(say=say)
        self._known = catalogue(places.catalog)
        self._auditing = Auditing(config, self._known, say=say)
        named = Path(config.policy) if config.policy else None
        self._policy = standby.wanted(named, places.policy, places.state_dir)
        self._refusing: Refusing | None = None
        self._ended_by = ""

    def run(self, *, keep: bool) -> None:
        """Run until a signal to end comes. ``keep``, or a restart, leaves the probes attached.

        Raises SensorError where it cannot begin. What it attached is gone then;
        what it found attached stays, for the next start.
        """
        instance = Instance(bpffs=self._bpffs, run_dir=self._places.run_dir, scope=self._scope)
        with ExitStack() as stack:
            inbox = stack.enter_context(signals(signal.SIGHUP))
            stack.enter_context(lock(self._places.run_dir, self._places.state_dir))
            loaded = run_loader(
                bpffs=self._bpffs, run_dir=self._places.run_dir, scope=self._scope,
                works=self._notify.needs_longer, say=self._say,
            )  # fmt: skip
            try:
                standing = self._begin(stack, loaded)
            except BaseException:
                if not loaded.reused:
                    instance.discard(loaded.pins)
                raise
            instance.retire(loaded.pins)  # what an upgrade finds is in force until this is
            self._announce(standing)
            self._loop(inbox, standing)
            standing.sensing.finish()
            self._notify.tell("STOPPING=1")
            stays = keep or self._notify.is_restarting()
            pins = "stay attached" if stays else "are taken away"
            why = f"by {self._ended_by}; its probes {pins}"
            stopped = Health(at_ns=Clock.now_ns(), what=SENSOR, is_well=False, why=why)
            # Where more comes than is read, what is left is lost: the next gap begins before it.
            if standing.sensing.drain():
                standing.sensing.see(stopped)
        if not stays:
            instance.remove()

    def _begin(self, stack: ExitStack, loaded: Loaded) -> Standing:
        """Attach or take over, find what runs, give up rights, and let readers in."""
        known = self._known
        store = stack.enter_context(Store(self._places.store))
        told = stack.enter_context(Told(self._places.told))
        begun = store.begin(told.before)
        before = look_back(
            store, boot_id=self._host.boot_id, booted_wall_ns=self._host.wall_offset_ns
        )
        engine = Engine(known, self._host, first_seq=begun.next_seq, looks=True)
        self._telling.next_seq = begun.next_seq
        pins = Pins(loaded.pins)
        sensing = Sensing(pins, engine, tell=self._hear)
        sensing.probing.teach(known)
        self._teaching = Teaching(self._places.catalog, known, sensing, self._auditing)
        stack.callback(sensing.looking.close)
        contents = sensing.look_inside(known, pins, self._scope, top=self._top)
        stack.callback(contents.close)
        self._refuse(stack, sensing, pins, known)
        self._go_on(sensing, before, begun, was_loaded=loaded.reused)
        contents.watch()
        if self._refusing:
            self._refusing.policing.take_up()
        group = group_id(self._config.group)
        door = Door(self._places.socket, group=group)
        capabilities.keep(frozenset(RUNNING))
        sensing.looking.begin()
        past = stack.enter_context(Store(self._places.store, read_only=True))
        keep = Keep(max_age_s=self._config.max_age_s, max_bytes=self._config.max_bytes)
        writer = partial(Writer, store, begun, keep, told.note)
        standing = self._open(stack, sensing, writer, past, door, loaded)
        standing.wrong += without_group(self._config, group)
        return standing

    def _refuse(self, stack: ExitStack, sensing: Sensing, pins: Pins, known: Catalogue) -> None:
        """Put policy in force before anything else is looked at; with none, take back what was."""
        if self._policy is None:
            if standby.is_in_force(pins):
                standby.release(pins)
            return
        # Observers have no room for it.
        from sensor.daemon.refusing import Refusing  # noqa: PLC0415  # only with a policy

        self._refusing = Refusing(
            self._policy, known, sensing, pins, scope=self._scope, top=self._top,
            run_dir=self._places.run_dir, state_dir=self._places.state_dir,
            default=self._places.policy, say=self._say,
        )  # fmt: skip
        self._teaching.refusing = self._refusing
        stack.callback(self._refusing.close)
        self._refusing.policing.begin()

    def _go_on(self, sensing: Sensing, before: Before, begun: Begun, *, was_loaded: bool) -> None:
        """Declare the time since the run before, take its sessions up, and find what is new."""
        gap = before.gap(
            Clock.now_ns(), begun.next_seq, booted_wall_ns=self._host.wall_offset_ns,
            was_loaded=was_loaded,
        )  # fmt: skip
        if gap:
            sensing.see(gap)
        for session in before.sessions:
            sensing.engine.resume(session)
        if was_loaded:
            sensing.take_over(self._scope, top=self._top)
            sensing.drain()
        sensing.reconcile(self._scope, top=self._top)
        for action in sensing.engine.settle(Clock.now_ns()):
            sensing.do(action)

    def _open(  # noqa: PLR0917  # it introduces them all to each other
        self, stack: ExitStack, sensing: Sensing, write: Callable[[], Writer], past: Store,
        door: Door, loaded: Loaded,
    ) -> Standing:  # fmt: skip
        clock = Clock()
        started_at = rfc3339(clock.now_ns() + clock.wall_offset_ns())
        footing = Footing(loaded, sensing, self._refusing, say=self._say)
        stack.callback(footing.close)
        standing = Standing(
            sensing=sensing, telling=self._telling, past=past, started_at=started_at,
            started_s=time.time(), scope=str(self._scope), missing=loaded.missing,
            footing=footing, stop=self._stop, refusing=self._refusing, teaching=self._teaching,
            contents=sensing.contents,
        )  # fmt: skip
        hello = Hello(
            host=self._host.name, boot_id=self._host.boot_id, seq=self._telling.next_seq - 1,
            started_at=started_at,
        )  # fmt: skip
        hub = Hub(door, hello=hello, past=past, daemon=standing, clock=clock)
        exporting = Exporting(self._config, standing.readings, say=self._say)
        standing.hub, standing.writer, standing.exporting = hub, write(), exporting
        self._selector = stack.enter_context(selectors.DefaultSelector())
        standing.register(self._selector)
        stack.callback(exporting.close)
        self._telling.begin(hub, standing.writer, exporting, self._selector)
        stack.callback(self._telling.end)
        stack.callback(self._auditing.close)
        return standing

    def _stop(self) -> None:
        self._ended_by = "root, through its socket"

    def _announce(self, standing: Standing) -> None:
        place = "this host" if self._scope == self._top else str(self._scope)
        self._say(f"watching {place}; readers at {self._places.socket}")
        for problem in standing.status()["problems"]:  # type: ignore[attr-defined]
            self._say(problem)
        self._notify.tell("READY=1", f"STATUS=watching {place}")

    def _loop(self, inbox: socket.socket, standing: Standing) -> None:
        """Sleep until a record, a reader, a signal or the store has something to say."""
        sensing, telling, contents = standing.sensing, self._telling, standing.contents
        self._selector.register(inbox, _READ, lambda _mask: self._heed(inbox))
        for ring in sensing.probing.verdicts, sensing.probing.ring:
            self._selector.register(ring, _READ, lambda _mask: sensing.read())
        self._selector.register(sensing.looking, _READ, lambda _mask: sensing.look())
        if standing.writer:
            self._selector.register(standing.writer, _READ, lambda _mask: self._listen(sensing))
        watchdog_s = self._notify.watchdog_s()
        while not self._ended_by:
            due_s = [one.timeout() for one in (self._refusing, contents) if one]
            waits = [one for one in (telling.timeout(), watchdog_s, *due_s) if one is not None]
            for key, mask in self._selector.select(min(waits, default=None)):
                key.data(mask)
            standing.turn()
            telling.turn()
            self._auditing.turn(self._selector, sensing.see)
            if watchdog_s is not None:
                self._notify.tell("WATCHDOG=1")

    def _hear(self, event: Event) -> None:
        self._telling.tell(event)
        self._auditing.hear(event, self._refusing.audits if self._refusing else None)

    def _heed(self, inbox: socket.socket) -> None:
        came = received(inbox)
        if ending := came & set(ENDING):
            self._ended_by = min(ending).name
        elif signal.SIGHUP in came:
            self._reload()

    def _reload(self) -> None:
        """Read catalogue and policy again, as a signal asks for; what is wrong is told."""
        try:
            self._teaching.reload()
        except SensorError as problem:
            self._say(f"catalogue and policy stay as they were: {problem}")
            return
        self._say(f"catalogue in force: {self._teaching.state()['digest']}")
        if self._refusing:
            self._say(f"policy in force: generation {self._refusing.generation()}")

    def _listen(self, sensing: Sensing) -> None:
        for fact in self._telling.news():
            sensing.see(fact)
