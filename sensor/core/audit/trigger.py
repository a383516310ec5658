# SPDX-License-Identifier: Apache-2.0
"""When an audit follows a detection: at the first one of a tool and a user, and for its user."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, assert_never

from sensor.core.proof.place import is_proof
from sensor.core.words import Kind, Verdict

if TYPE_CHECKING:
    from sensor.core.event import Event

MOST = 4096
"""Pairs of tool and user that are remembered; when there are more, it begins anew."""


class On(Enum):
    """After which detections an audit follows: none, those of high-risk tools, all."""

    OFF = "off"
    HIGH_RISK = "high-risk"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Occasion:
    """Which detections call for an audit; ``high_risk`` are tools, by their ids."""

    on: On = On.OFF
    high_risk: frozenset[str] = frozenset()

    def is_given_by(self, tool: str) -> bool:
        """Tell whether the detection of a tool is one."""
        match self.on:
            case On.OFF:
                return False
            case On.HIGH_RISK:
                return tool in self.high_risk
            case On.ALERT:
                return True
            case _:
                assert_never(self.on)


class Trigger:
    """Says whose environment is to be audited because of an event."""

    def __init__(self) -> None:
        self._known: set[tuple[str, int]] = set()

    def user(self, event: Event, occasion: Occasion) -> int | None:
        """Return the uid to audit, the first time a tool is alerted of or blocked for it."""
        uid = event.process.uid if event.process else None
        if event.kind is not Kind.EXEC or uid is None or not event.tool:
            return None
        if is_proof(event.process):
            return None
        if event.verdict in {None, Verdict.ALLOW} or (event.tool, uid) in self._known:
            return None
        if not occasion.is_given_by(event.tool):
            return None
        if len(self._known) >= MOST:
            self._known.clear()
        self._known.add((event.tool, uid))
        return uid
