# SPDX-License-Identifier: Apache-2.0
"""Points of the stream as people write them: ``10m``, ``4711``, ``2026-11-23 14:00``.

A number without a unit is a seq, a number with one is that long ago. A time
without an offset is UTC, as all times are that the stream has and that are printed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from sensor.core.quote import quote
from sensor.core.wall import NS_PER_S
from sensor.errors import BadInputError

_SEQ = re.compile(r"[0-9]{1,18}", re.ASCII)  # what a store holds in an integer has 19 digits
_AGO = re.compile(r"([0-9]{1,9})([smhdw])", re.ASCII)
_TIME = re.compile(
    r"(?:(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ](?=[0-9])|\Z))?"
    r"(?P<clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?(?:\.(?P<fraction>[0-9]{1,9}))?"
    r"\s?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION_DIGITS = 9
_NS_PER_US = 1000
_WITH_SECONDS = len("14:03:07")

FORMS = (
    '"10m" for ten minutes ago, a seq like 4711, "14:03" or "2026-11-23 14:03:07", which are UTC; '
    '"14:03+02:00" says otherwise'
)
"""What errors and help say one can write."""


@dataclass(frozen=True, slots=True)
class Seq:
    """A point named by its position in the stream."""

    seq: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A point named by the wall clock, in nanoseconds since 1970."""

    wall_ns: int


When: TypeAlias = Seq | Moment


def when(text: str, *, option: str, now: datetime) -> When:
    """Read one point. A clock time without a date is today's by its own offset.

    Raises BadInputError, which begins with ``option``.
    """
    said = text.strip()
    if _SEQ.fullmatch(said):
        return Seq(int(said))
    if ago := _AGO.fullmatch(said):
        return Moment(max(0, _ns(now) - int(ago[1]) * _SECONDS[ago[2]] * NS_PER_S))
    if said == "now":
        return Moment(_ns(now))
    found = _TIME.fullmatch(said)
    if found is None or not (found["date"] or found["clock"]):
        raise BadInputError(f"{option} {quote(text)}: expected {FORMS}")
    try:
        return Moment(_wall_ns(found, now))
    except (ValueError, OverflowError) as problem:
        raise BadInputError(
            f"{option} {quote(text)}: there is no such time ({problem}); write {FORMS}"
        ) from problem


def check(since: When | None, until: When | None) -> None:
    """See that there is something between two points. Raises BadInputError where there cannot."""
    match since, until:
        case (Seq(first), Seq(last)) | (Moment(first), Moment(last)) if first > last:
            raise BadInputError("--since is after --until: swap them")
        case _:
            return


def _wall_ns(found: re.Match[str], now: datetime) -> int:
    clock, fraction = found["clock"] or "00:00", found["fraction"] or ""
    if fraction and len(clock) < _WITH_SECONDS:
        raise ValueError("a fraction needs seconds before it")
    zone = "+00:00" if found["zone"] in {None, "Z"} else found["zone"]
    moment = datetime.fromisoformat(f"{found['date'] or now.date()}T{clock}{zone}")
    if not found["date"]:
        moment = datetime.combine(now.astimezone(moment.tzinfo).date(), moment.timetz())
    if moment < _EPOCH:
        raise ValueError("it is before 1970")
    return _ns(moment) + int(fraction.ljust(_FRACTION_DIGITS, "0"))


def _ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * _NS_PER_US
