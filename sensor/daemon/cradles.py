# SPDX-License-Identifier: Apache-2.0
"""Watches where the cgroups that policy names would be made, so that one counts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.edge.inotify_folders import Folders
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_UNWATCHED = (
    "cgroups that come or go count at a reload, and every five minutes while something is enforced"
)

_NESTED = 8
"""Levels of a cgroup that a policy may name, and one more."""

AGAIN_S = 1.0
"""How long policy stays as it was put, whatever becomes of its cgroups: users make them too."""


class Cradles:
    """``wanted`` gives the folders in which the next part of a cgroup would be made.

    ``folders`` is what to wait for; None where there is no room for a watcher.
    """

    def __init__(self, wanted: Callable[[], frozenset[Path]], now_s: Callable[[], float]) -> None:
        self._wanted = wanted
        self._now_s = now_s
        self._has_heard = False
        self._not_before_s = 0.0
        self._unwatched = ""
        self.folders: Folders | None = None
        try:
            self.folders = Folders()
        except SensorError as problem:
            self._unwatched = f"{problem}; {_UNWATCHED}"

    def heed(self) -> None:
        """Note that a cgroup that policy names may have been made or taken away."""
        if self.folders:
            self.folders.take()
        self._has_heard = True

    def have_heard(self) -> bool:
        """Tell, once, whether it is time to look what has come or gone; the next is watched."""
        if not self._has_heard or self._now_s() < self._not_before_s:
            return False
        self._has_heard = False
        self.watch()
        return True

    def rest(self) -> None:
        """Heed nothing for a while."""
        self._not_before_s = self._now_s() + AGAIN_S

    def watch(self) -> None:
        """Watch where cgroups would be made; meanwhile, the next folder may have been.

        Also those that are watched: one that was made anew is another one to the kernel.
        """
        if self.folders is None:
            return
        before = None
        for _ in range(_NESTED):
            if (wanted := self._wanted()) == before:
                return
            self.folders.watch(wanted)
            before = wanted

    def timeout(self) -> float | None:
        """Say for how long nothing is due; None: until something is heard."""
        return max(0.0, self._not_before_s - self._now_s()) if self._has_heard else None

    def problems(self) -> list[str]:
        """Say what is wrong, one sentence each."""
        return [self._unwatched] if self._unwatched else []

    def close(self) -> None:
        """Watch nothing any more."""
        if self.folders:
            self.folders.close()
