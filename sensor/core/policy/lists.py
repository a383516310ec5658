# SPDX-License-Identifier: Apache-2.0
"""Lists of entries: what each tool, name and range has, and what it takes over from above.

The kernel looks at the longest suffix and the longest prefix alone, so that a
list carries the entries of all that its own is part of.
"""

from __future__ import annotations

from collections import defaultdict
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, TypeAlias

from sensor.core.policy.rows import (
    ENTRIES_OF_BANK,
    ENTRIES_OF_LIST,
    NODES_OF_BANK,
    DomainRules,
    Entry,
    Span,
)
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sensor.core.facts import Address

    Pieces: TypeAlias = Mapping[int, tuple[Entry, ...]]
    """Entries by the position of their rule."""

NOTHING: Pieces = {}
_MAPPED = IPv6Network("::ffff:0:0/96")


class Spans:
    """Lays lists out in one array; equal ones lie there once.

    ``exceptions`` are the entries that stand before those of a rule, by position.
    BadInputError begins with what ``place_of`` says of a position.
    """

    def __init__(
        self, exceptions: Mapping[int, tuple[Entry, ...]], place_of: Callable[[int], str]
    ) -> None:
        self.entries: list[Entry] = []
        self._exceptions = exceptions
        self._place_of = place_of
        self._known: dict[tuple[Entry, ...], Span] = {(): Span()}

    def living(self, pieces: Pieces) -> Pieces:
        """Leave out what comes after an entry that always holds: it can never win."""
        kept: dict[int, tuple[Entry, ...]] = {}
        for position in sorted(pieces):
            entries = kept[position] = _fewest(pieces[position])
            if not self._exceptions.get(position) and entries[-1].is_final:
                break
        return kept

    def lay(self, pieces: Pieces, what: str) -> Span:
        """Give the span of a list."""
        row: list[Entry] = []
        for position, entries in self.living(pieces).items():
            row += (*self._exceptions.get(position, ()), *entries)
            if len(row) > ENTRIES_OF_LIST:
                raise BadInputError(
                    f"{self._place_of(position)}: more than {ENTRIES_OF_LIST} rules and exceptions"
                    f" are about {what}; join some of them"
                )
        return self._enter(tuple(row), max(pieces, default=0))

    def _enter(self, row: tuple[Entry, ...], position: int) -> Span:
        if row not in self._known:
            if len(self.entries) + len(row) > ENTRIES_OF_BANK:
                raise BadInputError(
                    f"{self._place_of(position)}: the policy is larger than {ENTRIES_OF_BANK}"
                    " entries; name fewer endpoints, or ranges for addresses"
                )
            self._known[row] = Span(len(self.entries), len(row))
            self.entries += row
        return self._known[row]


class Names:
    """What names have: a tree by labels from the last to the first."""

    def __init__(self) -> None:
        self._itself: dict[str, dict[int, tuple[Entry, ...]]] = defaultdict(dict)
        self._below: dict[str, dict[int, tuple[Entry, ...]]] = defaultdict(dict)

    def add(self, name: str, position: int, entry: Entry, *, below: bool) -> None:
        """Enter a rule for a name and all below it, or for what is ``below`` alone."""
        add_entry(self._below[name], position, entry)
        if not below:
            add_entry(self._itself[name], position, entry)

    def lay(self, spans: Spans) -> dict[str, DomainRules]:
        """Give every suffix its lists, those on the way to a name too. Raises BadInputError."""
        rules: dict[str, DomainRules] = {"": DomainRules(Span(), Span())}
        inherited: dict[str, Pieces] = {"": NOTHING}
        for suffix in _suffixes(self._below):
            _, _, parent = suffix.partition(".")
            above, known = inherited[parent], rules[parent]
            itself, below = self._itself.get(suffix), self._below.get(suffix)
            inherited[suffix] = spans.living(_merged(above, below)) if below else above
            rules[suffix] = DomainRules(
                spans.lay(_merged(above, itself), suffix) if itself else known.below,
                spans.lay(inherited[suffix], f"*.{suffix}") if below else known.below,
            )
        del rules[""]
        if len(rules) > NODES_OF_BANK:
            raise BadInputError(
                f"policy: {len(rules)} names and suffixes of names are more than {NODES_OF_BANK};"
                " name fewer endpoints"
            )
        return rules


class Ranges:
    """What ranges of addresses have. IPv4 lies in ::ffff:0:0/96, which no IPv6 range reaches."""

    def __init__(self) -> None:
        self._own: dict[IPv6Network, dict[int, tuple[Entry, ...]]] = defaultdict(dict)

    def add(self, network: IPv4Network | IPv6Network, position: int, entry: Entry) -> None:
        """Enter a rule for a range."""
        add_entry(self._own[mapped(network)], position, entry)

    def lay(self, spans: Spans) -> dict[IPv6Network, Span]:
        """Give every range its list. Raises BadInputError."""
        networks = set(self._own)
        if any(_MAPPED.subnet_of(network) for network in networks):
            networks.add(_MAPPED)
        if len(networks) > NODES_OF_BANK:
            raise BadInputError(
                f"policy: {len(networks)} ranges are more than {NODES_OF_BANK}; join some of them"
            )
        laid: dict[IPv6Network, Span] = {}
        around: list[tuple[IPv6Network, Pieces]] = []
        for network in sorted(networks):
            while around and not network.subnet_of(around[-1][0]):
                around.pop()
            above = around[-1][1] if around and network != _MAPPED else NOTHING
            pieces = spans.living(_merged(above, self._own.get(network)))
            around.append((network, pieces))
            laid[network] = spans.lay(pieces, str(network))
        return laid


def mapped(network: IPv4Network | IPv6Network) -> IPv6Network:
    """Give a range as the kernel's tables have it."""
    if isinstance(network, IPv6Network):
        return network
    address = mapped_address(network.network_address)
    return IPv6Network((address, network.prefixlen + _MAPPED.prefixlen))


def mapped_address(address: Address) -> IPv6Address:
    """Give an address as the kernel's tables have it."""
    if isinstance(address, IPv6Address):
        return address
    return IPv6Address(int(_MAPPED.network_address) | int(address))


def add_entry(pieces: dict[int, tuple[Entry, ...]], position: int, entry: Entry) -> None:
    """Put an entry after those of its rule."""
    pieces[position] = (*pieces.get(position, ()), entry)


def _merged(above: Pieces, own: Pieces | None) -> Pieces:
    if not own:
        return above
    merged = {**above, **own}
    for position in above.keys() & own.keys():
        merged[position] = above[position] + own[position]
    return merged


def _fewest(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Leave out what is there twice, and ports where any will do."""
    once = dict.fromkeys(entries)
    anywhere = {entry.order for entry in once if not entry.port}
    return tuple(entry for entry in once if not entry.port or entry.order not in anywhere)


def _suffixes(names: Iterable[str]) -> list[str]:
    """Give every suffix of these names, the shorter ones first."""
    found: dict[str, int] = {}
    for name in names:
        suffix, labels = name, name.count(".") + 1
        while suffix and suffix not in found:
            found[suffix] = labels
            labels -= 1
            _, _, suffix = suffix.partition(".")
    return sorted(found, key=found.__getitem__)
