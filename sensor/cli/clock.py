# SPDX-License-Identifier: Apache-2.0
"""Times as people write and read them: UTC, as the stream has them, or with their offset."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sensor.core.when import check, when

if TYPE_CHECKING:
    from sensor.core.when import When

_CLOCK = slice(len("2026-11-23T"), len("2026-11-23T14:03:07"))
_MILLISECONDS = len("2026-11-23T14:03:07.512")


def window(since: str | None, until: str | None) -> tuple[When | None, When | None]:
    """Read both ends of a window. Raises BadInputError for what is no time, or no window."""
    now = datetime.now(UTC)
    first = when(since, option="--since", now=now) if since else None
    last = when(until, option="--until", now=now) if until else None
    check(first, last)
    return first, last


def wall(at: str) -> str:
    """Write an RFC 3339 time by this host's zone, with its offset, to the millisecond."""
    with suppress(ValueError, OverflowError):  # no zone has the last hours of the year 9999
        moment = datetime.fromisoformat(f"{at[:_MILLISECONDS]}+00:00").astimezone()
        return moment.isoformat(" ", "milliseconds")
    return at


def clock(at: str) -> str:
    """Write an RFC 3339 time like the lines of the stream: the time of day, UTC."""
    return at[_CLOCK]
