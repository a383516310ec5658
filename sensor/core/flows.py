# SPDX-License-Identifier: Apache-2.0
"""Flows: open TCP connections, by the kernel's cookie of their socket.

A connection often outlives the process that opened it, and the answer to whose
it was and where it went with it. Both are kept here until it closes.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sensor.core.event import Destination
    from sensor.core.lineage import Member

FLOWS = 16_384
"""Connections remembered; of one that had to make room, the close is told by what is
still known of its process."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Who opened a connection, and where it goes by the names of that time."""

    member: Member
    to: Destination


class Flows:
    """The connections that are open, as far as ``limit`` allows; the oldest makes room."""

    def __init__(self, limit: int = FLOWS) -> None:
        self._limit = limit
        self._flows: OrderedDict[int, Flow] = OrderedDict()

    def __contains__(self, cookie: int) -> bool:
        return cookie in self._flows

    def __len__(self) -> int:
        return len(self._flows)

    def open(self, cookie: int, flow: Flow) -> None:
        """Remember a connection."""
        self._flows[cookie] = flow
        if len(self._flows) > self._limit:
            self._flows.popitem(last=False)

    def close(self, cookie: int) -> Flow | None:
        """Forget a connection; return whose it was, if that is still remembered."""
        return self._flows.pop(cookie, None)
