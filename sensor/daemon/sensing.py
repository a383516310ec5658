# SPDX-License-Identifier: Apache-2.0
"""Probes and engine at work together: what both the foreground sensor and the daemon run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.actions import Follow, Record
from sensor.core.catalogue import merge, parse
from sensor.daemon import reconcile
from sensor.daemon.probing import Probing
from sensor.errors import BadInputError, SensorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.core.actions import Action
    from sensor.core.catalogue import Catalogue
    from sensor.core.engine import Engine
    from sensor.core.event import Event
    from sensor.core.facts import Fact, Process
    from sensor.daemon.instance import Pins


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


class Sensing:
    """Gives the engine what the probes tell, and does what it wants; events go to ``tell``."""

    def __init__(self, pins: Pins, engine: Engine, *, tell: Callable[[Event], None]) -> None:
        self.engine = engine
        self.probing = Probing(pins, self.see)
        self._tell = tell

    def see(self, fact: Fact) -> None:
        """Have the engine look at a fact."""
        for action in self.engine.see(fact):
            self.do(action)

    def do(self, action: Action) -> None:
        """Do what the engine wants."""
        self.probing.apply(action)
        if isinstance(action, Record):
            self._tell(action.event)

    def reconcile(self, scope: Path, *, top: Path) -> None:
        """Find what ran before the probes, and its connections.

        Twice: what a running tool forked meanwhile is its child now.
        """
        found: dict[Process, Process] = {}
        for _ in range(2):
            known = self.probing.members.find
            for fact in reconcile.running(scope, top=top, known=known):
                for action in self.engine.see(fact):
                    self.do(action)
                    if isinstance(action, Follow):
                        found[action.process] = action.root
        for connection in reconcile.connections(found):
            self.probing.follow_connection(connection)
            self.see(connection)

    def take_over(self, scope: Path, *, top: Path) -> None:
        """Go on with the processes that the kernel has followed while nobody was there.

        Its records of that time come afterwards, from the ring.
        """
        followed = dict(self.probing.members.all())
        for fact in reconcile.followed(followed, scope, top=top):
            self.see(fact)
