# SPDX-License-Identifier: Apache-2.0
"""A catalogue that changes while the daemon runs: all that goes by it goes by the new one.

Policy comes first: the kernel has the rules for a tool before it recognises it.
Where policy cannot be had with it, nothing changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.layers import aligned, digest
from sensor.daemon.catalogues import catalogue
from sensor.errors import SensorError

if TYPE_CHECKING:
    from pathlib import Path

    from sensor.core.catalogue import Catalogue
    from sensor.daemon.audit_worker import Auditing
    from sensor.daemon.refusing import Refusing
    from sensor.daemon.sensing import Sensing

_REFUSED = (
    "what is in force stays until a restart, which would fail: the catalogue cannot be read again"
)


class Teaching:
    """Keeps the catalogue of a daemon, and reads it again."""

    def __init__(
        self, directory: Path, known: Catalogue, sensing: Sensing, auditing: Auditing
    ) -> None:
        self._directory = directory
        self._sensing = sensing
        self._auditing = auditing
        self.known = known
        self.refusing: Refusing | None = None
        self._refused = ""

    def reload(self) -> dict[str, object]:
        """Go by what the files say now. Raises SensorError where they cannot be gone by."""
        try:
            new = aligned(self.known, catalogue(self._directory))
        except SensorError as problem:
            self._refused = str(problem)
            raise
        self._refused = ""
        policing = self.refusing.policing if self.refusing else None
        if policing:
            policing.learn(new)
        if new != self.known:
            if self._sensing.contents:
                self._sensing.contents.learn(new)
            self._sensing.probing.teach(new)
            self._sensing.engine.learn(new)
            self._auditing.learn(new)
            self.known = new
        if policing:
            policing.enclose()
        return self.state()

    def problems(self) -> list[str]:
        """Say why the last reading led to nothing, if it did: a restart would read the same."""
        return [f"{_REFUSED}: {self._refused}"] if self._refused else []

    def state(self) -> dict[str, object]:
        """Return what ``status`` says of it."""
        return {
            "directory": str(self._directory),
            "tools": sum(not tool.withdrawn for tool in self.known.tools),
            "endpoints": len(self.known.endpoints),
            "digest": digest(self.known),
        }
