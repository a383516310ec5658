# SPDX-License-Identifier: Apache-2.0
"""The timeline: sessions as bars in lanes of a user and a tool, and where something is missing.

Everything is in units of the drawing, whose width is ``WIDTH``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sensor.core.wall import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH = 1000
NAMES = 210
"""What of the width the lanes' names take."""

LANE = 22
HEAD = 26
MOST_LANES = 40
LEAST_BAR = 2.5
"""A session of a second is to be seen in a picture of a month."""

_MOST_TICKS = 8
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STEPS = (
    1, 5, 15, 30, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 3 * _HOUR, 6 * _HOUR,
    12 * _HOUR, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY, 90 * _DAY, 365 * _DAY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, in ns since 1970; ``lane`` names the row, "" for all of them."""

    lane: str
    from_ns: int
    to_ns: int
    text: str
    is_alarming: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float
    text: str
    is_alarming: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A line with a time."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A row with its name."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The drawing. ``left_out`` counts lanes for which there is no room."""

    height: float
    lanes: tuple[Lane, ...]
    bars: tuple[Bar, ...]
    gaps: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    left_out: int


def timeline(
    spans: Sequence[Span], gaps: Iterable[Span], *, from_ns: int, to_ns: int
) -> Timeline | None:
    """Lay sessions out over a time; None where there are none."""
    names = dict.fromkeys(span.lane for span in spans)
    if not names:
        return None
    to_ns = max(to_ns, from_ns + NS_PER_S)
    shown = {name: HEAD + at * LANE for at, name in enumerate(list(names)[:MOST_LANES])}
    height = HEAD + len(shown) * LANE

    def bar(span: Span, y: float, tall: float) -> Bar:
        left, right = _x(span.from_ns, from_ns, to_ns), _x(span.to_ns, from_ns, to_ns)
        width = max(right - left, LEAST_BAR)
        return Bar(min(left, WIDTH - width), y, width, tall, span.text, span.is_alarming)

    return Timeline(
        height=height,
        lanes=tuple(Lane(y, name) for name, y in shown.items()),
        bars=tuple(
            bar(span, shown[span.lane] + 4, LANE - 8) for span in spans if span.lane in shown
        ),
        gaps=tuple(bar(gap, HEAD, height - HEAD) for gap in gaps),
        ticks=tuple(_ticks(from_ns, to_ns)),
        left_out=len(names) - len(shown),
    )


def _x(at_ns: int, from_ns: int, to_ns: int) -> float:
    share = (min(max(at_ns, from_ns), to_ns) - from_ns) / (to_ns - from_ns)
    return round(NAMES + share * (WIDTH - NAMES), 2)


def _ticks(from_ns: int, to_ns: int) -> Iterable[Tick]:
    length_s = (to_ns - from_ns) / NS_PER_S
    step = next((one for one in _STEPS if length_s / one <= _MOST_TICKS), _STEPS[-1])
    at = -(-from_ns // (step * NS_PER_S)) * step
    for _ in range(_MOST_TICKS + 1):
        if at * NS_PER_S > to_ns:
            return
        yield Tick(_x(at * NS_PER_S, from_ns, to_ns), _clock(at, step))
        at += step


def _clock(at_s: int, step_s: int) -> str:
    moment = datetime.fromtimestamp(at_s, UTC)
    if step_s < _MINUTE:
        return f"{moment:%H:%M:%S}"
    if step_s < _DAY:
        is_midnight = not (moment.hour or moment.minute)
        return f"{moment:%Y-%m-%d}" if is_midnight else f"{moment:%H:%M}"
    return f"{moment:%Y-%m-%d}"
