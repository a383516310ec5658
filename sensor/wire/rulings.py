# SPDX-License-Identifier: Apache-2.0
"""A policy's tables as bytes of the kernel's maps (``probes/policy.h``).

All but ``places`` and ``resolvers`` are there twice, in banks. Whoever applies
them writes the bank that is not in force, takes out of the hash maps what is
left in it from before (``bank_of``), and then turns the banks over.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sensor.core.policy.rows import ENTRIES_OF_BANK
from sensor.core.policy.tables import PATHS
from sensor.errors import BadInputError
from sensor.wire.layout import Layout
from sensor.wire.marks import HASH_SEED, hash_bytes, hash_component, hash_pair
from sensor.wire.tables import address_be

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sensor.core.facts import Address
    from sensor.core.policy.rows import DomainRules, Entry, Span, ToolRules
    from sensor.core.policy.tables import Tables

POLICY = Layout(
    "Q any_user", "Q any_cgroup", "Q any_path", "Q outside", "Q inside", "Q closed", "Q named",
    "I generation", "I flags",
)  # fmt: skip
TOOL_RULES = Layout(
    "Q conditions", "I exec.start", "I exec.count", "I reach.start", "I reach.count"
)
DOMAIN_RULES = Layout("I itself.start", "I itself.count", "I below.start", "I below.count")
SPAN = Layout("I start", "I count")
RANGE_KEY = Layout("I bits", "I bank", "16s address_be")
BANKED_KEY = Layout("Q id", "Q bank")
ENTRY = Layout("Q conditions", "Q end_ns", "Q choice", "H port_be", "H port_mask", "I reserved")

BANKS = 2
HASHES = ("users", "cgroups", "domains", "ranges")
"""Maps that keep in a bank what was there before, until somebody takes it out."""

_WORD = struct.Struct("=I")
_LONG = struct.Struct("=Q")
_U64 = (1 << 64) - 1
_SUFFIX_FACTOR = 0x9E3779B97F4A7C15  # 2^64 / golden ratio
_SUFFIX_SHIFT = 29
_BANK_BITS = 32
_LABELS_REMEMBERED = 4096


class Write(NamedTuple):
    """One entry of a map, whose name is that of probes/policy.h."""

    map: str
    key: bytes
    value: bytes


def bank_of(name: str, key: bytes) -> int:
    """Say which bank a key of one of ``HASHES`` is in."""
    if name == "ranges":
        return int(RANGE_KEY.unpack(key)[1])
    return int(BANKED_KEY.unpack(key)[1])


def bank_for(generation: int) -> int:
    """Say which bank a generation is in."""
    return generation % BANKS


def path_bits(paths: Iterable[str], before: Mapping[str, int]) -> dict[str, int]:
    """Give each folder a number; it keeps the one it had, since processes carry its bit.

    A number that was somebody else's is given out last. BadInputError where
    there are more folders than numbers.
    """
    wanted = list(paths)
    given = {path: before[path] for path in wanted if path in before}
    used = {*given.values()}
    free = sorted(set(range(PATHS)) - used, key=lambda bit: (bit in before.values(), bit))
    new = [path for path in wanted if path not in given]
    if len(new) > len(free):
        raise BadInputError(f"policy: paths: more than {PATHS} different folders; join some rules")
    return given | dict(zip(new, free, strict=False))


def writes(
    tables: Tables,
    generation: int,
    *,
    cgroup_ids: Mapping[str, int],
    bits: Mapping[str, int],
    seed: int,
) -> Iterator[Write]:
    """Give all that a policy writes into its bank, and into the maps without banks.

    ``cgroup_ids`` are those of ``tables.cgroups`` that exist, ``bits`` come from
    ``path_bits``, ``seed`` is the one that the probes hash names with.
    BadInputError names two names, or two folders, with one hash.
    """
    bank = bank_for(generation)
    yield Write("policies", _WORD.pack(bank), _policy(tables, generation))
    for index, tool in enumerate(tables.tools):
        yield Write("tools", _WORD.pack(index * BANKS + bank), _tool(tool, bank))
    for number, entry in enumerate(tables.entries):
        yield Write("entries", _WORD.pack(_start(bank) + number), _entry(entry))
    for uid, mask in tables.users.items():
        yield Write("users", BANKED_KEY.pack(uid, bank), _LONG.pack(mask))
    for path, mask in tables.cgroups.items():
        if path in cgroup_ids:
            yield Write("cgroups", BANKED_KEY.pack(cgroup_ids[path], bank), _LONG.pack(mask))
    for number, suffix in _hashed(tables.domains, lambda suffix: hash_suffix(suffix, seed)).items():
        rules = tables.domains[suffix]
        yield Write("domains", BANKED_KEY.pack(number, bank), _domain(rules, bank))
    for network, span in tables.ranges.items():
        key = RANGE_KEY.pack(_BANK_BITS + network.prefixlen, bank, network.network_address.packed)
        yield Write("ranges", key, SPAN.pack(*_span(span, bank)))
    yield from _paths(tables, bank, bits, seed)
    for resolver in sorted(tables.policy.resolvers, key=address_be):
        yield Write("resolvers", resolver_key(resolver), _LONG.pack(1))


def resolver_key(address: Address) -> bytes:
    """Give the key of ``resolvers``."""
    return address_be(address)


def hash_suffix(suffix: str, seed: int) -> int:
    """Hash a suffix of a name, label by label from the last one, as probes/suffix.h does."""
    value = HASH_SEED ^ seed
    for label in reversed(suffix.split(".")):
        value = (value ^ _label(label, seed)) * _SUFFIX_FACTOR & _U64
        value ^= value >> _SUFFIX_SHIFT
    return value


def hash_folder(path: str, seed: int) -> int:
    """Hash a folder's path, component by component from the root."""
    value = HASH_SEED ^ seed
    for component in path.strip("/").split("/"):
        value = hash_pair(value, hash_component(component.encode(), seed))
    return value


@lru_cache(_LABELS_REMEMBERED)
def _label(label: str, seed: int) -> int:
    return hash_bytes(label.lower().encode(), HASH_SEED ^ seed)


def _hashed(words: Iterable[str], hash_of: Callable[[str], int]) -> dict[int, str]:
    owners: dict[int, str] = {}
    for word in words:
        number = hash_of(word)
        if owners.setdefault(number, word) != word:
            raise BadInputError(
                f"policy: {word!a} and {owners[number]!a} have one hash; write one in another way"
            )
    return owners


def _policy(tables: Tables, generation: int) -> bytes:
    masks = tables.masks
    return POLICY.pack(
        masks.any_user,
        masks.any_cgroup,
        masks.any_path,
        masks.outside,
        masks.inside,
        masks.closed,
        masks.named,
        generation,
        tables.flags,
    )


def _tool(tool: ToolRules, bank: int) -> bytes:
    return TOOL_RULES.pack(tool.conditions, *_span(tool.exec, bank), *_span(tool.reach, bank))


def _domain(rules: DomainRules, bank: int) -> bytes:
    return DOMAIN_RULES.pack(*_span(rules.itself, bank), *_span(rules.below, bank))


def _entry(entry: Entry) -> bytes:
    (port_be,) = struct.unpack("=H", struct.pack("!H", entry.port))
    choice = entry.order << 32 | entry.rule << 16 | entry.verdict << 8 | entry.flags
    mask = 0xFFFF if entry.port else 0
    return ENTRY.pack(entry.conditions, entry.end_ns, choice, port_be, mask, 0)


def _paths(tables: Tables, bank: int, bits: Mapping[str, int], seed: int) -> Iterator[Write]:
    masks = dict.fromkeys(range(PATHS), 0)
    for number, path in _hashed(tables.paths, lambda path: hash_folder(path, seed)).items():
        masks[bits[path]] = tables.paths[path]
        yield Write("places", _LONG.pack(number), _WORD.pack(1 << bits[path]))
    for bit, mask in masks.items():
        yield Write("path_conditions", _WORD.pack(bit * BANKS + bank), _LONG.pack(mask))


def _span(span: Span, bank: int) -> tuple[int, int]:
    return _start(bank) + span.start, span.count


def _start(bank: int) -> int:
    return bank * ENTRIES_OF_BANK
