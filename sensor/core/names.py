# SPDX-License-Identifier: Apache-2.0
"""Names: what a session calls the addresses that it connects to.

An address has the name that the session's own resolver gave for it last; two
sessions may know one address by two names. An address that nobody asked for
by name can still lie in a range that a service publishes.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING

from sensor.core.event import Destination, NameSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor.core.catalogue import Catalogue
    from sensor.core.facts import Address

NAMES = 1024
"""Addresses that one session remembers a name for; the least recently given goes first."""

HOSTS = 1024
"""Different hosts that one session counts; with more there is no count."""

RANGES_REMEMBERED = 4096
"""Addresses whose range has been looked up already."""


class Endpoints:
    """Finds the catalogued service behind a name or an address."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.in_range = lru_cache(RANGES_REMEMBERED)(self._in_range)

    def of_name(self, name: str) -> str | None:
        """Return the id of the endpoint that a host belongs to."""
        endpoint = self._catalogue.endpoint_of(name)
        return endpoint.id if endpoint else None

    def _in_range(self, address: Address) -> str | None:
        endpoint = self._catalogue.endpoint_at(address)
        return endpoint.id if endpoint else None


class Names:
    """What one session has resolved and reached. Both are bounded."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._names: OrderedDict[Address, tuple[str, str | None, Address | None]] = OrderedDict()
        self._hosts: set[str | Address] = set()
        self._uncounted = False

    @property
    def hosts(self) -> int | None:
        """Count the hosts connected to, by name where there is one; None beyond ``HOSTS``."""
        return None if self._uncounted else len(self._hosts)

    def learn(
        self, name: str, addresses: Iterable[Address], resolver: Address | None = None
    ) -> str | None:
        """Take an answer of the resolver; return the id of the endpoint that it names."""
        endpoint = self._endpoints.of_name(name)
        for address in addresses:
            self._names[address] = (name, endpoint, resolver)
            self._names.move_to_end(address)
        while len(self._names) > NAMES:
            self._names.popitem(last=False)
        return endpoint

    def reach(self, address: Address, port: int, transport: str) -> Destination:
        """Name the far end of a new connection, and count it among the hosts."""
        to = self.destination(address, port, transport)
        self._count(to.name or address)
        return to

    def destination(self, address: Address, port: int, transport: str) -> Destination:
        """Name the far end of a connection as it is called now."""
        if named := self._names.get(address):
            name, endpoint, _ = named
            source: NameSource | None = NameSource.DNS
        else:
            name, endpoint = None, self._endpoints.in_range(address)
            source = NameSource.RANGE if endpoint else None
        return Destination(
            ip=address,
            port=port,
            transport=transport,
            name=name,
            name_source=source,
            endpoint=endpoint,
        )

    def resolver(self, name: str, address: Address) -> Address | None:
        """Return who gave an address for a name, None where that was nobody or is forgotten."""
        named = self._names.get(address)
        return named[2] if named and named[0] == name else None

    def _count(self, host: str | Address) -> None:
        if len(self._hosts) < HOSTS:
            self._hosts.add(host)
        elif host not in self._hosts:
            self._uncounted = True
