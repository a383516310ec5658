# SPDX-License-Identifier: Apache-2.0
"""Findings: what all traces of a tool in a home say together.

The certainty is that of the best trace of what is claimed. Traces are kept up
to a bound, and what is left out is counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensor.core.audit.trace import STRANGER
from sensor.core.audit.words import Certainty, Shows, Source, State
from sensor.core.quote import quote, quote_path
from sensor.core.units import count
from sensor.core.wall import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.audit.trace import Home, Trace

MOST_TRACES = 16
"""Kept of one tool, one source and what they show; a home can hold ten thousand."""

MOST_VERSIONS = 32

HEADS = (
    "user", "home", "tool", "state", "certainty", "first seen", "last used", "versions", "traces",
)  # fmt: skip

_DAY = len("2026-11-23")
_MINUTE = len("2026-11-23T14:03")
_ORDER = tuple(Certainty)
_OWN = frozenset({State.INSTALLED, State.REMOVED})


@dataclass(slots=True)
class Finding:
    """One tool in one home. Times are nanoseconds since 1970.

    ``is_anothers`` is set where its use is ascribed to a tool that leaves the same.
    """

    home: Home
    tool: str
    vendor: str | None
    first_ns: int | None = None
    last_ns: int | None = None
    used_ns: int | None = None
    versions: dict[str, None] = field(default_factory=dict)
    traces: list[Trace] = field(default_factory=list)
    left_out: int = 0
    is_anothers: bool = False
    _best: dict[Shows, Certainty] = field(default_factory=dict)
    _kept: dict[tuple[object, ...], int] = field(default_factory=dict)

    def take(self, trace: Trace) -> None:
        """Add a trace."""
        before = self._best.get(trace.shows, Certainty.WEAK)
        self._best[trace.shows] = min(before, trace.certainty, key=_ORDER.index)
        for at_ns in (trace.first_ns, trace.last_ns):
            if at_ns is not None:
                self.first_ns = at_ns if self.first_ns is None else min(self.first_ns, at_ns)
                self.last_ns = at_ns if self.last_ns is None else max(self.last_ns, at_ns)
        if trace.shows in {Shows.USED, Shows.RUN_ONCE} and trace.last_ns is not None:
            self.used_ns = max(self.used_ns or 0, trace.last_ns)
        if trace.version and len(self.versions) < MOST_VERSIONS:
            self.versions[trace.version] = None
        key = (trace.source, trace.shows)
        self._kept[key] = self._kept.get(key, 0) + 1
        if self._kept[key] <= MOST_TRACES:
            self.traces.append(trace)
        else:
            self.left_out += 1

    @property
    def state(self) -> State:
        """Say how the tool stands, by the best of what is shown. See docs/audit.md."""
        return self._claimed()[0]

    @property
    def certainty(self) -> Certainty:
        """Say how certain that is."""
        return self._claimed()[1]

    def _claimed(self) -> tuple[State, Certainty]:
        if (here := self._surest(Shows.INSTALLED)) and _counts(here):
            return State.INSTALLED, here
        if (gone := self._surest(Shows.REMOVED, Shows.WAS_INSTALLED)) and _counts(gone):
            return State.REMOVED, gone
        if Shows.RUN_ONCE not in self._best and _counts(self._surest(Shows.DOWNLOADED)):
            return State.REMOVED, Certainty.LIKELY
        used = self._surest(Shows.USED, Shows.RUN_ONCE)
        if used and _counts(used) and not self.is_anothers and not self._is_namesakes():
            return State.USED, used
        return State.HINTED, Certainty.WEAK

    def _is_namesakes(self) -> bool:
        """Tell whether what was typed may have run another program, and nothing else is known."""
        used = {one.source for one in self.traces if one.shows is Shows.USED}
        return used == {Source.HISTORY} and any(one.note == STRANGER for one in self.traces)

    def _surest(self, *shows: Shows) -> Certainty | None:
        found = [self._best[one] for one in shows if one in self._best]
        return min(found, key=_ORDER.index, default=None)

    @property
    def sharers(self) -> frozenset[str]:
        """Name the tools to which all of its use may belong as well; none if some is its own."""
        used = [one for one in self.traces if one.shows in {Shows.USED, Shows.RUN_ONCE}]
        named = [frozenset(one.shared) for one in used]
        return frozenset.intersection(*named) if named else frozenset()

    def as_dict(self) -> dict[str, object]:
        """Return it in plain values; the names are those of docs/audit.md."""
        return {
            "user": self.home.user,
            "uid": self.home.uid,
            "home": self.home.path,
            "place": self.home.place or None,
            "tool": self.tool,
            "vendor": self.vendor,
            "state": self.state.value,
            "first_seen": moment(self.first_ns),
            "last_used": moment(self.used_ns),
            "certainty": self.certainty.value,
            "versions": list(self.versions),
            "traces": [trace_as_dict(trace) for trace in self.traces],
            "traces_left_out": self.left_out,
        }

    def texts(self) -> list[str]:
        """Return the cells of its row under ``HEADS``, fit for a terminal."""
        place = f"{self.home.place}:" if self.home.place else ""
        traces = len(self.traces) + self.left_out
        kinds = dict.fromkeys(trace.source.value for trace in self.traces)
        return [
            who(self.home),
            quote_path(place + (self.home.path or "/"), 40),
            self.tool,
            self.state.value,
            self.certainty.value,
            (moment(self.first_ns) or "-")[:_DAY],
            (moment(self.used_ns) or "-")[:_MINUTE],
            quote(", ".join(self.versions) or "-", 32),
            f"{traces}: {', '.join(kinds)}",
        ]


def who(home: Home) -> str:
    """Name whose home it is, for a terminal."""
    if home.path is None:
        return "(system)"
    if home.user is not None:
        return quote(home.user)
    return "(nobody)" if home.uid is None else f"(uid {home.uid})"


def trace_as_dict(trace: Trace) -> dict[str, object]:
    """Return a trace in plain values."""
    return {
        "kind": trace.source.value,
        "shows": trace.shows.value,
        "certainty": trace.certainty.value,
        "path": trace.path,
        "first_at": moment(trace.first_ns),
        "last_at": moment(trace.last_ns),
        "version": trace.version,
        "count": trace.count,
        "note": trace.note,
        "shared_with": list(trace.shared),
    }


def told(trace: Trace) -> str:
    """Write a trace as one line for a terminal."""
    at = moment(trace.last_ns if trace.last_ns is not None else trace.first_ns)
    parts = [trace.version or "", trace.note or ""]
    if trace.count is not None:
        parts.append(count(trace.count, "time", "times") if trace.note is None else "")
    if trace.shared:
        parts.append(f"shared with {', '.join(trace.shared)}")
    notes = ", ".join(filter(None, parts))
    shown = f"  ({notes})" if notes else ""
    words = f"{trace.shows.value:14}  {trace.source.value:11}  {quote_path(trace.path)}"
    return f"{at or '-':20}  {words}{shown}"


def moment(at_ns: int | None) -> str | None:
    """Write a time to the second: a file's time says no more."""
    return None if at_ns is None else f"{rfc3339(at_ns)[: len('2026-11-23T14:03:07')]}Z"


class Ledger:
    """Gathers traces by home and tool. Its size is bounded by both and ``MOST_TRACES``."""

    def __init__(self, vendors: dict[str, str]) -> None:
        self._vendors = vendors
        self._findings: dict[tuple[Home, str], Finding] = {}

    def take(self, home: Home, trace: Trace) -> None:
        """Add a trace to a home."""
        key = (home, trace.tool)
        if key not in self._findings:
            self._findings[key] = Finding(home, trace.tool, self._vendors.get(trace.tool))
        self._findings[key].take(trace)

    def findings(self, *, since_ns: int | None = None) -> Iterator[Finding]:
        """Go through what was found, those with a trace since then; the surest first in a home."""
        for one in self._findings.values():
            others = (self._findings.get((one.home, tool)) for tool in one.sharers)
            one.is_anothers = any(other and other.state in _OWN for other in others)
        chosen = [
            one
            for one in self._findings.values()
            if since_ns is None or (one.last_ns is not None and one.last_ns >= since_ns)
            if not all(trace.note == STRANGER for trace in one.traces)
        ]
        yield from sorted(chosen, key=_order)


def _counts(certainty: Certainty | None) -> bool:
    """Tell whether something is more than a hint."""
    return certainty is not None and certainty is not Certainty.WEAK


def _order(one: Finding) -> tuple[object, ...]:
    home = one.home
    states = tuple(State)
    return (home.place, home.path is not None, home.path or "", states.index(one.state),
            _ORDER.index(one.certainty), one.tool)  # fmt: skip
