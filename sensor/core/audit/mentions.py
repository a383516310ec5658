# SPDX-License-Identifier: Apache-2.0
"""Many command lines, summed up: one trace for each tool and what was done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.audit.trace import Trace
from sensor.core.audit.words import Certainty

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sensor.core.audit.commands import Mention
    from sensor.core.audit.words import Shows, Source


class Sum:
    """Counts mentions; its size is bounded by the catalogue's."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, Shows, bool], list[int | None]] = {}

    def take(self, mentions: Iterable[Mention], at_ns: int | None) -> None:
        """Add the mentions of one line, typed at a time that may not be known."""
        for one in mentions:
            count, first, last = self._of.get((one.tool.id, one.shows, one.weak), (0, None, None))
            if at_ns is not None:
                first = at_ns if first is None else min(first, at_ns)
                last = at_ns if last is None else max(last, at_ns)
            self._of[one.tool.id, one.shows, one.weak] = [(count or 0) + 1, first, last]

    def traces(
        self, source: Source, path: str, *, certainty: Certainty, shows: Shows | None = None,
        owner: str | int | None = None,
    ) -> Iterator[Trace]:  # fmt: skip
        """Tell what was counted; ``shows`` is what all of it shows, where the lines do not say."""
        for (tool, did, weak), (count, first, last) in self._of.items():
            yield Trace(
                tool=tool,
                source=source,
                shows=shows or did,
                certainty=Certainty.WEAK if weak else certainty,
                path=path,
                first_ns=first,
                last_ns=last,
                count=count,
                owner=owner,
            )
