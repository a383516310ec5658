# SPDX-License-Identifier: Apache-2.0
"""Facts of the sensor's own: what it lost, keeps as policy, does well, and found by an audit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sensor.core.facts import Process
    from sensor.core.inventory import Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """``count`` records of ``what`` never reached the ring since the last such fact."""

    at_ns: int
    what: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """A record could not be read; ``why`` says where it broke."""

    at_ns: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """From ``from_wall_ns`` to ``at_ns`` the stream may lack something; ``why`` says what.

    ``seqs`` is the first and last number that was given out and is not kept.
    """

    at_ns: int
    from_wall_ns: int
    why: str
    seqs: tuple[int, int] | None = None


class Standing(Enum):
    """What became of a policy; the value is the word in the stream.

    ``KEPT``: another was to follow and was refused, so the one before stays.
    """

    IN_FORCE = "in_force"
    KEPT = "kept"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChanged:
    """Policy was put in force, kept or removed; all else is of the one that is in force now.

    ``generation`` 0 is none. ``why`` says why another was refused, or what became of which
    blocks.
    """

    at_ns: int
    standing: Standing
    generation: int
    source: str | None = None
    rules: int | None = None
    blocks: int | None = None
    mode: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A part of the sensor works, or does not any more; ``why`` says what shows it."""

    at_ns: int
    what: str
    is_well: bool
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An audit found a tool in somebody's environment, be it used now or not."""

    at_ns: int
    tool: str
    vendor: str | None
    inventory: Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """The sensor did not end a process that was to be ended; ``why`` says how that is."""

    at_ns: int
    process: Process
    why: str
