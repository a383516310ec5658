# SPDX-License-Identifier: Apache-2.0
"""When an audit follows a detection: at the first one of a tool and a user, and for its user."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from sensor.core.words import Kind, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.core.event import Event

MOST = 4096
"""Pairs of tool and user that are remembered; when there are more, it begins anew."""


class On(Enum):
    """After which detections an audit follows: none, those of high-risk tools, all."""

    OFF = "off"
    HIGH_RISK = "high-risk"
    ALERT = "alert"


class Trigger:
    """Says whose environment is to be audited because of an event."""

    def __init__(self, on: On, *, is_high_risk: Callable[[str], bool]) -> None:
        self._on = on
        self._is_high_risk = is_high_risk
        self._known: set[tuple[str, int]] = set()

    def user(self, event: Event) -> int | None:
        """Return the uid to audit, the first time a tool is alerted of or blocked for it."""
        uid = event.process.uid if event.process else None
        if self._on is On.OFF or event.kind is not Kind.EXEC or uid is None or not event.tool:
            return None
        if event.verdict in {None, Verdict.ALLOW} or (event.tool, uid) in self._known:
            return None
        if self._on is On.HIGH_RISK and not self._is_high_risk(event.tool):
            return None
        if len(self._known) >= MOST:
            self._known.clear()
        self._known.add((event.tool, uid))
        return uid
