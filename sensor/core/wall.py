# SPDX-License-Identifier: Apache-2.0
"""Wall clock times as text: RFC 3339, UTC, nanoseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

NS_PER_S = 1_000_000_000
_LATEST_S = int(datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp())


def rfc3339(wall_ns: int) -> str:
    """Write nanoseconds since 1970 like ``2026-11-23T14:03:07.512000000Z``.

    datetime has microseconds only, so it writes the second and we the rest. A
    time beyond its years is a damaged one, and is held at the nearest it can write.
    """
    second, ns = divmod(wall_ns, NS_PER_S)
    return f"{_second(second)}.{ns:09d}Z"


def instant(at: str) -> int:
    """Read what ``rfc3339`` wrote, as nanoseconds since 1970."""
    second, _, fraction = at.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(f"{second}+00:00").timestamp()) * NS_PER_S + int(fraction)


@lru_cache(maxsize=16)  # facts of one second come together
def _second(second: int) -> str:
    moment = datetime.fromtimestamp(min(max(second, 0), _LATEST_S), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
