# SPDX-License-Identifier: Apache-2.0
"""The order of facts that come over two rings: what was refused waits for what was before it.

The kernel writes refusals into a ring of their own, so that no flood of the rest
pushes them out. Who is refused something may have become what it is a moment
before, and that stands in the other ring.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.facts import Fact


class Order:
    """Puts the facts of two rings into one order. Each ring is in the order of its times."""

    def __init__(self) -> None:
        self._waiting: deque[Fact] = deque()

    def hold(self, fact: Fact) -> None:
        """Have a fact of the one ring wait for its time in the other."""
        self._waiting.append(fact)

    def before(self, fact: Fact) -> Iterator[Fact]:
        """Yield what waits and was before a fact of the other ring."""
        while self._waiting and self._waiting[0].at_ns <= fact.at_ns:
            yield self._waiting.popleft()

    def rest(self) -> Iterator[Fact]:
        """Yield what waits: the other ring has been read to its end."""
        while self._waiting:
            yield self._waiting.popleft()
