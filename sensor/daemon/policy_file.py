# SPDX-License-Identifier: Apache-2.0
"""The file that a daemon has its policy from: read again when asked, and looked at for ``status``.

What is in force outlives its file. The next start does not: it reads the file,
so what that would be refused for is a problem now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.policy.text import parse
from sensor.edge import guarded
from sensor.errors import SensorError

if TYPE_CHECKING:
    from pathlib import Path

    from sensor.core.catalogue import Catalogue
    from sensor.core.policy.model import Policy

_BLOCKS_ALONE = 'version = 1\nmode = "enforce"\n'
_REFUSED = "what is in force stays until a restart, which would fail: policy cannot be read again"


class PolicyFile:
    """A policy's file. ``refused`` is why the last reading led to nothing, empty if it did not."""

    def __init__(self, path: Path, *, may_be_missing: bool) -> None:
        self.path = path.absolute()  # who is told of it may be elsewhere
        self.refused = ""
        self._may_be_missing = may_be_missing

    def __str__(self) -> str:
        """Name the file."""
        return str(self.path)

    def read(self, catalogue: Catalogue) -> Policy:
        """Read the policy. Raises BadInputError where it is none, or others can change it."""
        if self._is_left_out():
            # Blocks alone: they are to hold on a host without a policy too.
            text, where = _BLOCKS_ALONE, f"{self.path} (missing)"
        else:
            text, where = guarded.read(self.path), str(self.path)
        return parse(text, where=where, catalogue=catalogue)

    def _is_left_out(self) -> bool:
        return self._may_be_missing and not self.path.exists()

    def problems(self) -> list[str]:
        """Say what a restart would be refused for, as far as a look at the file shows it."""
        wrong = [self.refused] if self.refused else []
        if not self._is_left_out():
            try:
                guarded.check(self.path)
            except SensorError as problem:
                wrong.append(str(problem))
        return [f"{_REFUSED}: {one}" for one in dict.fromkeys(wrong)]
