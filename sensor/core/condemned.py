# SPDX-License-Identifier: Apache-2.0
"""Whom events say to be ended, until it is known whether they were.

A verdict is told before it is carried out. Whoever ends by itself meanwhile has
another status than who was killed; that is the kernel's word, as wait(2) has it.
"""

from __future__ import annotations

import signal
from collections import OrderedDict
from typing import TYPE_CHECKING

from sensor.core.facts import Exit

if TYPE_CHECKING:
    from sensor.core.event import Event
    from sensor.core.facts import Process, Undone

REMEMBERED = 4096
"""Processes that are being ended; the oldest make room."""

BY_ITSELF = "it ended by itself before that"

_SIGNAL_BITS = 0x7F  # WTERMSIG of wait(2)


class Condemned:
    """The last event of each process that is being ended."""

    def __init__(self) -> None:
        self._told: OrderedDict[Process, Event] = OrderedDict()

    def note(self, process: Process, told: Event) -> None:
        """Take an event that says that a process is ended."""
        self._told[process] = told
        self._told.move_to_end(process)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    def spared(self, fact: Exit | Undone) -> tuple[Event, str] | None:
        """Give the event that a fact shows to be untrue, and why; each is given once.

        An end that nobody has seen shows nothing.
        """
        if isinstance(fact, Exit) and fact.status is None:
            return None
        told = self._told.pop(fact.process, None)
        if told is None:
            return None
        if not isinstance(fact, Exit):
            return told, fact.why
        is_killed = (fact.status or 0) & _SIGNAL_BITS == signal.SIGKILL
        return None if is_killed else (told, BY_ITSELF)
