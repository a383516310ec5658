# SPDX-License-Identifier: Apache-2.0
"""The event: one fact of the stream, under the names that every output uses.

The fields, their units and their meaning are the table in docs/events.md.
Absent is ``None``, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.line import line
from sensor.core.words import Enforcement, Kind, NameSource, Risk, Verdict

if TYPE_CHECKING:
    from sensor.core.facts import Address, Process
    from sensor.core.inventory import Inventory


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason to believe that a process is a tool."""

    signal: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessView:
    """The process of an event, as the stream shows it.

    ``comm`` is its own word for itself, and shown only where nothing else is known.
    ``package`` is what its program came in, ``ancestors`` what those run that started it.
    """

    pid: int
    started_ns: int
    comm: str | None = None
    ppid: int | None = None
    exe: str | None = None
    script: str | None = None
    interpreter: str | None = None
    name_typed: str | None = None
    argv: tuple[str, ...] | None = None
    cwd: str | None = None
    uid: int | None = None
    user: str | None = None
    loginuid: int | None = None
    tty: str | None = None
    cgroup: str | None = None
    cgroup_id: int | None = None
    container: str | None = None
    dev: int | None = None
    ino: int | None = None
    fileless: bool | None = None
    truncated: tuple[str, ...] = ()
    status: int | None = None
    package: str | None = None
    ancestors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a connection goes, or the resolver and the name it was asked for.

    ``addresses`` and ``rcode`` (RFC 1035, 4.1.1) are the resolver's answer; of a
    ``cut`` answer there may have been more.
    """

    ip: Address | None
    port: int | None
    transport: str | None
    name: str | None = None
    name_source: NameSource | None = None
    endpoint: str | None = None
    addresses: tuple[Address, ...] = ()
    rcode: int | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What went over a connection that is closed now."""

    sent_bytes: int
    received_bytes: int
    duration_ns: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Lack:
    """A time of which something may be missing; wall clock, RFC 3339.

    Numbers from ``first_seq`` to ``last_seq`` were given out and are not kept.
    """

    from_at: str
    to_at: str
    first_seq: int | None = None
    last_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """A policy that was put in force, kept or removed; ``generation`` 0 is none.

    ``rules`` are those of its file; ``blocks`` are those of responders.
    """

    standing: str
    generation: int
    source: str | None = None
    rules: int | None = None
    blocks: int | None = None
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class HealthView:
    """A part of the sensor, and whether it works."""

    what: str
    is_well: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event. ``seq`` counts without holes within one run of the sensor.

    ``looked`` says whether ``evidence`` is what a look at the process added to the
    kernel's. ``lineage`` is what says who started it, where that is not ancestry.
    ``processes`` and ``hosts`` sum up a session at its end. ``loss`` is what was
    lost and how much of it, ``gap`` of which time something may be missing,
    ``reason`` why; of an attempt it is what the rule says to people. ``inventory``
    is what an audit found.
    """

    v: int
    seq: int
    boot_id: str
    host: str
    at: str
    at_ns: int
    kind: Kind
    verdict: Verdict | None = None
    enforcement: Enforcement | None = None
    rule: str | None = None
    tool: str | None = None
    vendor: str | None = None
    confidence: float | None = None
    evidence: tuple[Evidence, ...] = ()
    looked: bool = False
    risk: tuple[Evidence, ...] = ()
    lineage: str | None = None
    session: str | None = None
    parent_session: str | None = None
    depth: int | None = None
    late: bool = False
    process: ProcessView | None = None
    parent: Process | None = None
    destination: Destination | None = None
    traffic: Traffic | None = None
    loss: tuple[str, int] | None = None
    gap: Lack | None = None
    policy: PolicyView | None = None
    health: HealthView | None = None
    reason: str | None = None
    duration_ns: int | None = None
    processes: int | None = None
    hosts: int | None = None
    inventory: Inventory | None = None

    @property
    def is_refused(self) -> bool:
        """Whether what was attempted did not happen, or was ended for what it is."""
        done = self.enforcement not in {None, Enforcement.NONE}
        return self.verdict is Verdict.BLOCK and done

    @property
    def is_risky(self) -> bool:
        """Whether a tool runs without its guards, or sends its requests elsewhere."""
        return any(one.signal != Risk.PROXIED.value for one in self.risk)

    @property
    def line(self) -> str:
        """The event as people read it; it is written when asked for."""
        return line(self)


__all__ = [
    "Destination", "Enforcement", "Event", "Evidence", "HealthView", "Kind", "Lack", "NameSource",
    "PolicyView", "ProcessView", "Traffic", "Verdict",
]  # fmt: skip
