# SPDX-License-Identifier: Apache-2.0
"""Flows: open TCP connections, by the kernel's cookie of their socket.

A connection often outlives the process that opened it, and the answer to whose
it was and where it went with it. Both are kept here until it closes.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.event import Destination, NameSource
    from sensor.core.lineage import Member

FLOWS = 16_384
"""Connections remembered; of one that had to make room, the close is told by what is
still known of its process."""

UNOPENED = 1024
"""Connections that said a name before their beginning was told; the oldest makes room."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Who opened a connection, and where it goes by the names of that time.

    ``target_port`` is the port that a proxy was asked for. ``is_forgotten`` where a
    run of the sensor before this one may have known a name for it.
    """

    member: Member
    to: Destination
    target_port: int | None = None
    is_forgotten: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What a connection says of its far end: the name, whence, and the port asked for."""

    name: str
    source: NameSource
    endpoint: str | None
    port: int

    def flow(self, flow: Flow) -> Flow:
        """Return the connection as it calls itself."""
        to = replace(flow.to, name=self.name, name_source=self.source, endpoint=self.endpoint)
        return Flow(flow.member, to, self.port)


ENDED = 1024
"""Connections remembered of which it was told that they are ended."""


class Flows:
    """The connections that are open, as far as ``limit`` allows; the oldest makes room."""

    def __init__(self, limit: int = FLOWS) -> None:
        self._limit = limit
        self._flows: OrderedDict[int, Flow] = OrderedDict()
        self._said: OrderedDict[int, Said] = OrderedDict()
        self._ended: OrderedDict[int, None] = OrderedDict()

    def __contains__(self, cookie: int) -> bool:
        return cookie in self._flows

    def __len__(self) -> int:
        return len(self._flows)

    def items(self) -> Iterator[tuple[int, Flow]]:
        """Give every open connection with its cookie."""
        return iter(tuple(self._flows.items()))

    def get(self, cookie: int) -> Flow | None:
        """Return a connection, if it is remembered."""
        return self._flows.get(cookie)

    def open(self, cookie: int, flow: Flow) -> Flow:
        """Remember a connection; return it with the name that it may have said already."""
        said = self._said.pop(cookie, None)
        self._flows[cookie] = flow = said.flow(flow) if said else flow
        if len(self._flows) > self._limit:
            self._flows.popitem(last=False)
        return flow

    def name(self, cookie: int, said: Said) -> None:
        """Take what a connection says of its far end, also before it is known to be open."""
        if flow := self._flows.get(cookie):
            self._flows[cookie] = said.flow(flow)
            return
        self._said[cookie] = said
        if len(self._said) > UNOPENED:
            self._said.popitem(last=False)

    def close(self, cookie: int) -> Flow | None:
        """Forget a connection; return whose it was, if that is still remembered."""
        return self._flows.pop(cookie, None)

    def end(self, cookie: int) -> bool:
        """Note that a connection is ended; tell whether that is new."""
        if cookie in self._ended:
            return False
        self._ended[cookie] = None
        if len(self._ended) > ENDED:
            self._ended.popitem(last=False)
        return True
