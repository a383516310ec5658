# SPDX-License-Identifier: Apache-2.0
"""How the kernel looks a verdict up: the same loops as in the probes, over the same tables.

What it says is what ``judge`` says; tests/core/policy/test_lookup.py holds both to
each other. The masks and lists are explained in probes/policy.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.facts import Transport
from sensor.core.policy.judge import DNS_PORT, TLS_PORT, Basis, Execution, plain
from sensor.core.policy.lists import mapped_address
from sensor.core.policy.rows import (
    ENTRIES_OF_LIST,
    RULE_CANARY,
    RULE_DEFAULT,
    RULE_QUIC,
    Entry,
    EntryFlag,
    Span,
    TableVerdict,
)
from sensor.core.policy.targets import SUFFIXES
from sensor.core.words import NameSource

if TYPE_CHECKING:
    from sensor.core.catalogue import Catalogue
    from sensor.core.facts import Address
    from sensor.core.policy.judge import Reach
    from sensor.core.policy.tables import Tables

CHAIN = 4
"""Tools of a session that the kernel keeps, the outermost first (probes/events.h)."""

_NO_RULE = -1
_EMPTY = Span()
_ADDRESS_BITS = 128


@dataclass(frozen=True, slots=True)
class Found:
    """What the kernel finds; NONE where no entry is about the attempt."""

    verdict: TableVerdict = TableVerdict.NONE
    rule: int = RULE_DEFAULT
    basis: Basis = Basis.NOTHING
    confines: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is the same for every list of one look-up."""

    who: int
    port: int
    now_ns: int
    is_trusted: bool
    is_canary: bool


class Lookup:
    """Looks attempts up in one policy's tables. ``canary`` is the sensor's own cgroup."""

    def __init__(self, tables: Tables, catalogue: Catalogue, *, canary: str | None = None) -> None:
        self._tables = tables
        self._catalogue = catalogue
        self._canary = canary
        self._ranges = {
            (network.prefixlen, int(network.network_address)): span
            for network, span in tables.ranges.items()
        }

    def find(self, attempt: Execution | Reach, now_ns: int) -> Found:
        """Give the verdict of an attempt at a boot time."""
        if isinstance(attempt, Execution):
            return self._execution(attempt, now_ns)
        return self._reach(attempt, now_ns)

    def _execution(self, execution: Execution, now_ns: int) -> Found:
        tool = self._catalogue.index_of(execution.tool)
        asked = self._asked(execution, (tool,), now_ns)
        entry = self._first_match(self._tables.tools[tool].exec, asked)
        return _found(entry, Basis.TOOL) if entry else Found()

    def _reach(self, reach: Reach, now_ns: int) -> Found:
        tables = self._tables
        chain = tuple(self._catalogue.index_of(tool) for tool in reach.tools[:CHAIN])
        asked = self._asked(reach, chain, now_ns)
        best, basis = None, Basis.NOTHING
        for tool in chain or (0,):
            entry = self._first_match(tables.tools[tool].reach, asked)
            if _is_before(entry, best):
                best, basis = entry, Basis.TOOL
        entry = self._first_match(self._longest_prefix(reach.address), asked)
        if _is_before(entry, best):
            best, basis = entry, Basis.ADDRESS
        entry = self._first_match(self._longest_suffix(reach.name), asked)
        if _is_before(entry, best):
            best, basis = entry, Basis.NAME
        found = _found(best, basis) if best else Found()
        if (
            found.confines
            and reach.port == DNS_PORT
            and reach.address
            and plain(reach.address) in tables.policy.resolvers
        ):
            return Found(TableVerdict.ALLOW, found.rule, Basis.ADDRESS)
        if (
            chain
            and reach.transport is Transport.UDP
            and reach.port == TLS_PORT
            and found.verdict is not TableVerdict.BLOCK
            and basis in {Basis.NOTHING, Basis.NAME}
            and asked.who & tables.masks.named
        ):
            return Found(TableVerdict.BLOCK, RULE_QUIC)
        return found

    def _asked(self, attempt: Execution | Reach, chain: tuple[int, ...], now_ns: int) -> _Asked:
        port, is_trusted = 0, False
        if not isinstance(attempt, Execution):
            port = attempt.port
            is_trusted = attempt.is_name_trusted or attempt.name_source is not NameSource.DNS
        return _Asked(
            who=self._who(attempt, chain),
            port=port,
            now_ns=now_ns,
            is_trusted=is_trusted,
            is_canary=attempt.cgroup == self._canary,
        )

    def _who(self, attempt: Execution | Reach, chain: tuple[int, ...]) -> int:
        """Give the conditions that hold for whoever acts."""
        tables = self._tables
        masks = tables.masks
        of_tools = 0
        for tool in chain or (0,):
            of_tools |= tables.tools[tool].conditions
        of_user = tables.users.get(attempt.uid, masks.any_user)
        of_place = masks.inside if attempt.in_container else masks.outside
        of_cgroup = masks.any_cgroup
        for ancestor in _folders(attempt.cgroup):
            of_cgroup |= tables.cgroups.get(ancestor, 0)
        of_path = masks.any_path
        for folder in _folders(attempt.exe or "")[:-1]:
            of_path |= tables.paths.get(folder, 0)
        return of_tools & of_user & of_place & of_cgroup & of_path

    def _first_match(self, span: Span, asked: _Asked) -> Entry | None:
        """Give the first entry of a list that holds and is no exception, nor taken out by one."""
        skipped = _NO_RULE
        for number in range(ENTRIES_OF_LIST):
            if number >= span.count:
                break
            entry = self._tables.entries[span.start + number]
            if entry.end_ns and entry.end_ns <= asked.now_ns:
                continue
            if asked.who & entry.conditions != entry.conditions:
                continue
            if entry.port and entry.port != asked.port:
                continue
            if entry.flags & EntryFlag.TRUSTED and not asked.is_trusted:
                continue
            if entry.rule == RULE_CANARY and not asked.is_canary:
                continue
            if entry.rule == skipped:
                continue
            if entry.verdict is TableVerdict.SKIP:
                skipped = entry.rule
                continue
            return entry
        return None

    def _longest_suffix(self, name: str | None) -> Span:
        """Give the list of the longest suffix that is known; the walk ends at the first miss."""
        labels = name.rstrip(".").lower().split(".") if name else []
        span, suffix = _EMPTY, ""
        for depth in range(1, min(len(labels), SUFFIXES) + 1):
            suffix = ".".join(labels[-depth:])
            node = self._tables.domains.get(suffix)
            if node is None:
                break
            span = node.itself if depth == len(labels) else node.below
        return span

    def _longest_prefix(self, address: Address | None) -> Span:
        """Give the list of the longest prefix, as the kernel's trie does."""
        if address is None:
            return _EMPTY
        number = int(mapped_address(address))
        for bits in range(_ADDRESS_BITS, -1, -1):
            low = _ADDRESS_BITS - bits
            span = self._ranges.get((bits, number >> low << low))
            if span is not None:
                return span
        return _EMPTY


def _found(entry: Entry, basis: Basis) -> Found:
    return Found(entry.verdict, entry.rule, basis, bool(entry.flags & EntryFlag.CONFINES))


def _is_before(entry: Entry | None, best: Entry | None) -> bool:
    return entry is not None and (best is None or entry.order < best.order)


def _folders(path: str) -> list[str]:
    """Give a path and all that it lies in, from the top."""
    names = path.strip("/").split("/")
    return ["/" + "/".join(names[: depth + 1]) for depth in range(len(names))]
