# SPDX-License-Identifier: Apache-2.0
"""The tally: events counted by what they have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensor.core.columns import GROUPS
from sensor.core.table import shown
from sensor.core.units import size
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensor.core.event import Event
    from sensor.core.table import Cell

FIGURES = ("events", "sessions", "sent_bytes", "received_bytes", "first_at", "last_at")
"""What is known of each group, by the names of JSON and CSV."""

HEADS = ("events", "sessions", "sent", "received", "first", "last")
"""The same, as the heads of a table."""

_SECONDS = len("2026-11-23T14:03:07")


@dataclass(slots=True)
class Group:
    """Events that have the same values; ``first_at`` and ``last_at`` are RFC 3339."""

    values: tuple[Cell, ...]
    first_at: str
    last_at: str
    events: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    members: set[str] = field(default_factory=set)

    @property
    def sessions(self) -> int:
        """How many sessions the events are of."""
        return len(self.members)

    def cells(self) -> list[Cell]:
        """Return values and figures, for programs."""
        return [*self.values, *(getattr(self, name) for name in FIGURES)]

    def texts(self) -> list[str]:
        """Return the same, for people."""
        return [
            *map(shown, self.values),
            str(self.events),
            str(self.sessions),
            size(self.sent_bytes),
            size(self.received_bytes),
            f"{self.first_at[:_SECONDS]}Z",
            f"{self.last_at[:_SECONDS]}Z",
        ]


def groups_of(text: str) -> tuple[str, ...]:
    """Read what to group by: names with commas between. Raises BadInputError for others."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for name in names:
        if name not in GROUPS:
            raise BadInputError(f"--by {name!a}: expected {', '.join(GROUPS)}")
    return names


class Tally:
    """Counts the events that it is given, by the columns ``by``."""

    def __init__(self, by: Sequence[str]) -> None:
        self._by = tuple(by)
        self._readers = [GROUPS[name] for name in by]
        self._groups: dict[tuple[Cell, ...], Group] = {}

    def take(self, event: Event) -> None:
        """Count one event."""
        values = tuple(read(event) for read in self._readers)
        group = self._groups.get(values)
        if group is None:
            group = self._groups[values] = Group(values, event.at, event.at)
        group.events += 1
        group.first_at = min(group.first_at, event.at)
        group.last_at = max(group.last_at, event.at)
        if event.session:
            group.members.add(event.session)
        if event.traffic:
            group.sent_bytes += event.traffic.sent_bytes
            group.received_bytes += event.traffic.received_bytes

    def groups(self) -> list[Group]:
        """Return the groups, that with the most events first; what nobody has comes last."""
        return sorted(
            self._groups.values(),
            key=lambda one: (-one.events, [(value is None, str(value)) for value in one.values]),
        )

    def as_dict(self, group: Group) -> dict[str, Cell]:
        """Return a group under its names."""
        return dict(zip((*self._by, *FIGURES), group.cells(), strict=True))
