# SPDX-License-Identifier: Apache-2.0
"""Loaded probes without a sensor: a test opens the pins itself."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.daemon.instance import Pins
from sensor.daemon.loader import kernel_types
from sensor.daemon.turns import Turns
from sensor.wire.programs import OBSERVING
from support.host import Host, copied
from support.patience import SOON_S
from support.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.host import Said


@dataclass(frozen=True, slots=True)
class Loaded:
    """What ``agent-sensor load`` has left in the bpffs of a host that nobody else sees."""

    host: Host
    scope: Scope
    tool: Path

    def load(self) -> Said:
        """Load, or use what is loaded."""
        return self.host.sensor("load", "--json", "--scope", self.scope.path)

    @property
    def folder(self) -> Path:
        """The folder of the pins, as a path for this process."""
        said = self.load()
        assert said.status == 0, said.err
        return self.host.seen(Path(json.loads(said.out)["pins"]))

    @property
    def pins(self) -> Pins:
        """The pins."""
        return Pins(self.folder)

    def run_tool(self, *arguments: str) -> int:
        """Run an AI tool, which says its arguments, to its end. Gives its pid."""
        process = self.scope.run([self.tool, *arguments], stdout=subprocess.DEVNULL)
        assert process.wait(SOON_S) == 0
        return process.pid


def observing() -> set[str]:
    """Name the pins of what is attached at a start, on this kernel."""
    return {one.pin for one in (*OBSERVING, *Turns(kernel_types()).stand_bys)}


@contextmanager
def loading(folder: Path) -> Iterator[Loaded]:
    """Load probes for the length of the ``with``; ``folder`` gets a tool to run."""
    with Host() as host, Scope() as scope:
        loaded = Loaded(host, scope, copied("echo", folder))
        assert loaded.load().status == 0
        yield loaded
