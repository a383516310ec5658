# SPDX-License-Identifier: Apache-2.0
"""Columns: what one can group events by, and what a flat file of events has."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.core.event import Destination, Event, ProcessView
    from sensor.core.inventory import Inventory
    from sensor.core.table import Cell


def _of_process(read: Callable[[ProcessView], Cell]) -> Callable[[Event], Cell]:
    return lambda event: read(event.process) if event.process else None


def _of_destination(read: Callable[[Destination], Cell]) -> Callable[[Event], Cell]:
    return lambda event: read(event.destination) if event.destination else None


def _user(whose: ProcessView | Inventory | None) -> Cell:
    """Name the user; one without a name by its number."""
    if whose is None:
        return None
    return whose.user or (None if whose.uid is None else str(whose.uid))


def _uid(whose: ProcessView | Inventory | None) -> Cell:
    return whose.uid if whose else None


GROUPS: dict[str, Callable[[Event], Cell]] = {
    "tool": lambda event: event.tool,
    "vendor": lambda event: event.vendor,
    "user": lambda event: _user(event.process or event.inventory),
    "session": lambda event: event.session,
    "kind": lambda event: event.kind.value,
    "verdict": lambda event: event.verdict.value if event.verdict else None,
    "enforcement": lambda event: event.enforcement.value if event.enforcement else None,
    "rule": lambda event: event.rule,
    "exe": _of_process(lambda process: process.exe),
    "container": _of_process(lambda process: process.container),
    "endpoint": _of_destination(lambda to: to.endpoint),
    "name": _of_destination(lambda to: to.name),
    "ip": _of_destination(lambda to: None if to.ip is None else str(to.ip)),
    "port": _of_destination(lambda to: to.port),
    "host": lambda event: event.host,
    "day": lambda event: event.at[: len("2026-11-23")],
    "hour": lambda event: f"{event.at[: len('2026-11-23T14')]}:00Z",
}
"""By what events can be grouped: the names of docs/events.md, and two spans of UTC."""

FLAT: dict[str, Callable[[Event], Cell]] = {
    "seq": lambda event: event.seq,
    "at": lambda event: event.at,
    **{name: GROUPS[name] for name in ("host", "kind", "verdict", "enforcement", "rule")},
    **{name: GROUPS[name] for name in ("tool", "vendor", "session", "user")},
    "uid": lambda event: _uid(event.process or event.inventory),
    "pid": _of_process(lambda process: process.pid),
    **{name: GROUPS[name] for name in ("exe", "ip", "port", "name", "endpoint")},
    "sent_bytes": lambda event: event.traffic.sent_bytes if event.traffic else None,
    "received_bytes": lambda event: event.traffic.received_bytes if event.traffic else None,
    "duration_ns": lambda event: event.traffic.duration_ns if event.traffic else event.duration_ns,
    "outcome": lambda event: event.traffic.outcome if event.traffic else None,
}
"""The columns of events as CSV."""
