# SPDX-License-Identifier: Apache-2.0
"""What a reader who was cut off from the daemon, or too slow, knows about what it missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sensor.core.quote import LINE_LIMIT, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sensor.core.event import Event


@dataclass(frozen=True, slots=True)
class Gone:
    """The daemon is away since ``at``, and is waited for."""

    at: str

    def text(self, time: Callable[[str], str]) -> str:
        """Say it; ``time`` writes an RFC 3339 time as the reader wants it."""
        return f"daemon is away since {time(self.at)}; waiting for it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """The daemon is back. ``gaps`` are the events in which it says what may be missing.

    ``last_seq`` is what the reader has seen, ``newest`` what the daemon has;
    less than that is another stream.
    """

    left_at: str
    back_at: str
    last_seq: int
    newest: int
    gaps: Sequence[Event]

    @property
    def is_anew(self) -> bool:
        """Whether the stream began anew, so that no seq means what it did."""
        return self.newest < self.last_seq

    def text(self, time: Callable[[str], str]) -> str:
        """Say it; ``time`` writes an RFC 3339 time as the reader wants it."""
        when = f"daemon was away from {time(self.left_at)} to {time(self.back_at)}"
        if self.is_anew:
            return (
                f"{when}; its stream begins anew: event {self.last_seq} was seen, "
                f"its newest is {self.newest}"
            )
        if not self.gaps:
            return f"{when}; nothing is missing"
        return f"{when}; {'; '.join(_missing(gap, time) for gap in self.gaps)}"


@dataclass(frozen=True, slots=True)
class Missed:
    """A range of seqs was not told. What of it is stored can be ``fetched``."""

    first: int
    last: int
    fetched: bool

    def text(self, _time: Callable[[str], str]) -> str:
        """Say it."""
        if self.first == self.last:
            what = f"event {self.first} was skipped"
        else:
            what = f"events {self.first}-{self.last} were skipped"
        return f"{what}; fetching" if self.fetched else f"{what}: not stored, or not any more"


@dataclass(frozen=True, slots=True)
class Garbled:
    """An event came that this version cannot read."""

    why: str

    def text(self, _time: Callable[[str], str]) -> str:
        """Say it."""
        return f"an event cannot be read: {quote(self.why, LINE_LIMIT)}; is this the same version?"


Remark: TypeAlias = Gone | Back | Missed | Garbled


def _missing(gap: Event, time: Callable[[str], str]) -> str:
    """Say what one gap event says."""
    why = quote(gap.reason or "unknown", 2 * LINE_LIMIT)
    if gap.gap is None:
        return f"something may be missing: {why}"
    lack = gap.gap
    span = f"from {time(lack.from_at)} to {time(lack.to_at)} something may be missing"
    seqs = "" if lack.first_seq is None else f", events {lack.first_seq}-{lack.last_seq} are gone"
    return f"{span}{seqs}: {why}"
