# SPDX-License-Identifier: Apache-2.0
"""A case: what happened in some time, summed up for a page. Its size is bounded.

Give it the events of the time, in their order; sessions come from the book.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensor.core.sessionbook import user_of
from sensor.core.wall import instant
from sensor.core.words import Kind

if TYPE_CHECKING:
    from sensor.core.event import Event
    from sensor.core.inventory import Inventory
    from sensor.core.sessionbook import Run

MOST_ATTEMPTS = 500
MOST_PEERS = 500
MOST_LACKS = 200
MOST_STANDING = 200
MOST_FOUND = 1000
MOST_RUNS = 500
"""So many of each are shown; of more, how many there are."""

BLOCKED = frozenset({"block", "would_block"})
"""Verdicts by which something is or would be refused, by their words."""


@dataclass(slots=True)
class Peer:
    """All connections to one endpoint or, of what is none, to one name or address.

    Those that were refused are no connections, as in the book of sessions.
    """

    name: str
    endpoint: str | None
    connections: int = 0
    refused: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    tools: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    ports: set[int] = field(default_factory=set)
    verdicts: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Case:
    """What is to be told."""

    events: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    attempts: list[Event] = field(default_factory=list)
    refused: int = 0
    peers: dict[tuple[str, str], Peer] = field(default_factory=dict)
    lacks: list[Event] = field(default_factory=list)
    standing: list[Event] = field(default_factory=list)
    found: dict[tuple[object, ...], tuple[Event, Inventory]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    first_at: str | None = None
    last_at: str | None = None

    def take(self, event: Event) -> None:
        """Add an event."""
        self.events += 1
        self.kinds[event.kind.value] += 1
        self.first_at, self.last_at = self.first_at or event.at, event.at
        self.refused += event.is_refused
        if event.verdict:
            self.verdicts[event.verdict.value] += 1
            if event.verdict.value in BLOCKED:
                self._keep("attempts", self.attempts, event, MOST_ATTEMPTS)
        match event.kind:
            case Kind.CONNECT | Kind.CLOSE:
                self._reached(event)
            case Kind.LOSS | Kind.GAP:
                self._keep("gaps and losses", self.lacks, event, MOST_LACKS)
            case Kind.POLICY | Kind.HEALTH:
                self._keep("changes of policy and health", self.standing, event, MOST_STANDING)
            case Kind.INVENTORY if found := event.inventory:
                key = (found.place, found.home, found.user, found.uid, event.tool)
                if key in self.found or len(self.found) < MOST_FOUND:
                    self.found[key] = (event, found)  # the newest holds
                else:
                    self.left_out["findings"] += 1
            case _:
                pass

    def _keep(self, what: str, kept: list[Event], event: Event, most: int) -> None:
        if len(kept) < most:
            kept.append(event)
        else:
            self.left_out[what] += 1

    def _reached(self, event: Event) -> None:
        to = event.destination
        if to is None:
            return
        name = to.name or (str(to.ip) if to.ip else "-")
        key = (to.endpoint or "", name)
        peer = self.peers.get(key)
        if peer is None:
            if len(self.peers) >= MOST_PEERS:
                self.left_out["connections"] += event.kind is Kind.CONNECT
                return
            peer = self.peers[key] = Peer(name, to.endpoint)
        if event.tool:
            peer.tools.add(event.tool)
        peer.users.add(user_of(event.process))
        if to.port is not None:
            peer.ports.add(to.port)
        if event.kind is Kind.CONNECT:
            if event.is_refused:
                peer.refused += 1
            else:
                peer.connections += 1
            if event.verdict:
                peer.verdicts[event.verdict.value] += 1
        if event.traffic:
            peer.sent_bytes += event.traffic.sent_bytes
            peer.received_bytes += event.traffic.received_bytes

    def by_endpoint(self) -> list[Peer]:
        """Return who was reached: AI services first, then what got the most."""
        return sorted(
            self.peers.values(), key=lambda one: (one.endpoint is None, -one.sent_bytes, one.name)
        )


def span_of(run: Run, now_ns: int) -> tuple[int, int]:
    """Return when a session began and ended, or was last heard of; ns since 1970."""
    began = instant(run.started_at or run.first_at)
    last = instant(run.ended_at) if run.ended_at else max(instant(run.last_at), now_ns)
    return began, last
