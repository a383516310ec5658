# SPDX-License-Identifier: Apache-2.0
"""Spotting: which of millions of names are worth a look, told from the name and its folder.

Most names are in no set and cost one look-up. Paths are relative to a home, or
to the root where no home is; both without a slash in front.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sensor.core.audit import packages, residue, system
from sensor.core.audit.histories import HISTORIES, STARTS
from sensor.core.audit.settings import NAMES as SETTINGS

if TYPE_CHECKING:
    from sensor.core.audit.atlas import Atlas
    from sensor.core.audit.leads import Lead

SUFFIXES = (".dist-info", ".egg-info")
"""By which a name is worth asking for in any folder."""

# Any name in these is worth asking for. Matched once a folder.
_WHOLE = re.compile(
    r"(^|.*/)(\.npm/_logs|\.local/state/pipx/log|\.local/pipx/logs|\.config/systemd/user|extensions"
    r"|conda-meta|\.cache/yarn/v[0-9]+|Cellar|Caskroom|\.bun/install/cache(/@[^/]+)?)"
    r"|\.npm/_cacache/index-v5/.*|\.cache/pip/(http|http-v2|wheels)/.*"
)
# What no trace is in and much of everything else.
_SKIPPED = re.compile(
    r"(^|.*/)(\.git/objects|_cacache/content-v2|_cacache/tmp|pnpm/store/v[0-9]+/files|__pycache__"
    r"|uv/simple-v[0-9]+|uv/interpreter-v[0-9]+|uv/sdists-v[0-9]+|\.snapshots|lost\+found)"
)
_SESSIONS = re.compile(
    r"(^|.*/)(sessions|projects|chats|conversations|threads|tasks|history)(/.*)?"
)


class Spotter:
    """Finds leads for one atlas. ``in_home`` is false for the system's own trees."""

    def __init__(self, atlas: Atlas, *, in_home: bool = True) -> None:
        place = residue.Finder(atlas) if in_home else system.Finder(atlas)
        self._finders = (packages.Finder(atlas), place)
        self._layouts = {path.removesuffix("/*") for path in atlas.layout if path.endswith("/*")}
        self._is_home = in_home
        names = {*atlas.packages["npm"], *atlas.packages["pypi"], *atlas.names}
        if in_home:
            names |= {
                *atlas.state,
                *atlas.weak_state,
                *atlas.repository,
                *atlas.layout,
                *HISTORIES,
                *STARTS,
            }
            names |= SETTINGS
        else:
            names |= system.NAMES
        self.names = frozenset(name.rpartition("/")[2] for name in names)

    def whole(self, folder: str) -> bool:
        """Tell whether every name in a folder is worth asking for."""
        if _WHOLE.fullmatch(folder):
            return True
        return folder in self._layouts if self._is_home else system.is_whole(folder)

    def lead(self, folder: str, name: str) -> Lead | None:
        """Say whether an entry is worth a look, and which."""
        for finder in self._finders:
            if found := finder.lead(folder, name):
                return found
        return None


def is_skipped(path: str) -> bool:
    """Tell whether nothing below a folder is of interest."""
    return bool(_SKIPPED.fullmatch(path))


def is_session(path: str) -> bool:
    """Tell whether a file in a state folder is the log of a session, by where it is."""
    folder, _, name = path.rpartition("/")
    return name.endswith(".jsonl") or bool(_SESSIONS.fullmatch(folder))
