# SPDX-License-Identifier: Apache-2.0
"""The bulletin: events that are the sensor's own, in no session, and what it puts right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from sensor.core.actions import Record
from sensor.core.event import Enforcement, Event, HealthView, Kind, Lack, PolicyView
from sensor.core.facts import Damaged, Found, Gap, Health, Loss, PolicyChanged
from sensor.core.judgment import SAYS_KILL
from sensor.core.wall import rfc3339

if TYPE_CHECKING:
    from sensor.core.enforced import Enforced
    from sensor.core.facts import Standing
    from sensor.core.numbering import Numbering

Own = Loss | Damaged | Gap | PolicyChanged | Health | Found
"""Facts that are about no process."""


def changed(
    enforced: Enforced | None, standing: Standing, at_ns: int, *, why: str | None = None
) -> PolicyChanged:
    """Give the fact of what became of a policy; ``enforced`` is what is in force now."""
    if enforced is None:
        return PolicyChanged(at_ns=at_ns, standing=standing, generation=0, why=why)
    return PolicyChanged(
        at_ns=at_ns,
        standing=standing,
        generation=enforced.generation,
        source=enforced.source,
        rules=enforced.policy.own_rules,
        blocks=enforced.policy.blocks,
        mode=enforced.policy.mode.value,
        why=why,
    )


def told(fact: Own, numbering: Numbering) -> Record:
    """Tell what is missing, what became of a policy, what works, or what an audit found."""
    head = numbering.head(fact.at_ns)
    match fact:
        case Loss():
            return Record(Event(**head, kind=Kind.LOSS, loss=(fact.what, fact.count)))
        case Damaged():
            return Record(Event(**head, kind=Kind.LOSS, loss=("record", 1), reason=fact.why))
        case Gap():
            lack = Lack(rfc3339(fact.from_wall_ns), head["at"], *(fact.seqs or ()))
            return Record(Event(**head, kind=Kind.GAP, gap=lack, reason=fact.why))
        case PolicyChanged():
            policy = PolicyView(
                standing=fact.standing.value,
                generation=fact.generation,
                source=fact.source,
                rules=fact.rules,
                blocks=fact.blocks,
                mode=fact.mode,
            )
            return Record(Event(**head, kind=Kind.POLICY, policy=policy, reason=fact.why))
        case Health():
            health = HealthView(fact.what, is_well=fact.is_well)
            return Record(Event(**head, kind=Kind.HEALTH, health=health, reason=fact.why))
        case Found():
            return Record(
                Event(
                    **head,
                    kind=Kind.INVENTORY,
                    tool=fact.tool,
                    vendor=fact.vendor,
                    inventory=fact.inventory,
                )
            )
        case _:
            assert_never(fact)


def put_right(at_ns: int, told: Event, why: str, numbering: Numbering) -> Record:
    """Tell again of somebody who was not ended after all, and which event said otherwise."""
    reason = f"event {told.seq}{SAYS_KILL}{why}"
    undone = replace(told, enforcement=Enforcement.NONE, reason=reason, late=True)
    return Record(replace(undone, **numbering.head(at_ns)))
