# SPDX-License-Identifier: Apache-2.0
"""Rows of the kernel's tables as values, under the names of probes/policy.h."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from sensor.core.words import Verdict

ENTRIES_OF_LIST = 32
"""Of one list; the same bound as in probes/policy.h."""

ENTRIES_OF_BANK = 16_384
"""Half of the map ``entries``."""

NODES_OF_BANK = 16_384
"""Names, and suffixes on the way to them, and likewise ranges."""

USERS_OF_BANK = 8_192
"""Half of the map ``users``; groups count by their members."""

CGROUPS_OF_BANK = 512
"""Half of the map ``cgroups``."""

CONDITIONS = 64
"""Bits of a mask."""

RULE_DEFAULT, RULE_QUIC, RULE_CANARY, RULE_FULL, RULES = 0xFFFF, 0xFFFE, 0xFFFD, 0xFFFC, 0xFFF0
"""Numbers in the place of a rule's, and the first that is none (probes/events.h)."""


class TableVerdict(IntEnum):
    """``enum verdict`` of probes/events.h."""

    NONE = 0
    ALLOW = 1
    ALERT = 2
    WOULD_BLOCK = 3
    BLOCK = 4
    SKIP = 5

    @property
    def word(self) -> Verdict | None:
        """Give the verdict as the stream has it; None for what says nothing."""
        return _WORDS.get(self)

    @classmethod
    def of(cls, verdict: Verdict) -> TableVerdict:
        """Give the number of a verdict."""
        return cls[verdict.name]


_WORDS = {TableVerdict[verdict.name]: verdict for verdict in Verdict}


class EntryFlag(IntFlag):
    """``ENTRY_*`` of probes/policy.h."""

    CONFINES = 1
    TRUSTED = 2


_NO_FLAG = EntryFlag(0)


class PolicyFlag(IntFlag):
    """``POLICY_*`` of probes/policy.h: what of a policy needs a look at all."""

    EXEC = 1
    RANGE = 2
    NAME = 4
    CGROUP = 8
    PATH = 16
    USER = 32
    INSIDE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of ``entries``. ``end_ns`` is CLOCK_BOOTTIME, 0 for no end; port 0 is any."""

    rule: int
    verdict: TableVerdict
    order: int
    conditions: int = 0
    end_ns: int = 0
    port: int = 0
    flags: EntryFlag = _NO_FLAG

    @property
    def is_final(self) -> bool:
        """Say whether nothing after it in a list can win, if no exception stands before it."""
        return (
            not (self.conditions or self.end_ns or self.port or self.flags & EntryFlag.TRUSTED)
            and self.rule != RULE_CANARY
        )


@dataclass(frozen=True, slots=True)
class Span:
    """Entries in a row, counted from the start of the bank."""

    start: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class ToolRules:
    """One row of ``tools``."""

    conditions: int
    exec: Span
    reach: Span


@dataclass(frozen=True, slots=True)
class DomainRules:
    """One row of ``domains``."""

    itself: Span
    below: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Masks:
    """The masks of ``struct policy``: what holds for those whom no table names."""

    any_user: int
    any_cgroup: int
    any_path: int
    outside: int
    inside: int
    closed: int
    named: int
