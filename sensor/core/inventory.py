# SPDX-License-Identifier: Apache-2.0
"""An audit's finding as part of an event: whose, where, and by which traces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """One trace, in the words of docs/audit.md."""

    kind: str
    shows: str
    certainty: str
    path: str
    first_at: str | None = None
    last_at: str | None = None
    version: str | None = None
    count: int | None = None
    note: str | None = None
    shared_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """How a tool stands in one home. Times are RFC 3339, to the second."""

    user: str | None
    uid: int | None
    home: str | None
    place: str | None
    state: str
    certainty: str
    first_seen: str | None
    last_used: str | None
    versions: tuple[str, ...] = ()
    traces: tuple[Clue, ...] = ()
    traces_left_out: int = 0


def as_dict(found: Inventory) -> dict[str, object]:
    """Return it in plain values."""
    return {
        "user": found.user,
        "uid": found.uid,
        "home": found.home,
        "place": found.place,
        "state": found.state,
        "certainty": found.certainty,
        "first_seen": found.first_seen,
        "last_used": found.last_used,
        "versions": list(found.versions),
        "traces": [
            {
                "kind": clue.kind,
                "shows": clue.shows,
                "certainty": clue.certainty,
                "path": clue.path,
                "first_at": clue.first_at,
                "last_at": clue.last_at,
                "version": clue.version,
                "count": clue.count,
                "note": clue.note,
                "shared_with": list(clue.shared_with),
            }
            for clue in found.traces
        ],
        "traces_left_out": found.traces_left_out,
    }
