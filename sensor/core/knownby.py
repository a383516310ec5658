# SPDX-License-Identifier: Apache-2.0
"""Known by: what an event says of how its process was recognised."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from sensor.core.event import Evidence
from sensor.core.joining import word
from sensor.core.weights import Sign

if TYPE_CHECKING:
    from sensor.core.identity import Identity


class Known(TypedDict):
    """The event's names for it."""

    confidence: float | None
    evidence: tuple[Evidence, ...]
    looked: bool
    risk: tuple[Evidence, ...]
    lineage: str | None


def known(identity: Identity | None) -> Known:
    """Say what a tool was known by; of what is none, nothing."""
    if identity is None:
        return {"confidence": None, "evidence": (), "looked": False, "risk": (), "lineage": None}
    return {
        "confidence": identity.confidence,
        "evidence": (*identity.evidence, *identity.lineage),
        "looked": identity.was_looked_at,
        "risk": identity.risk,
        "lineage": word(identity.lineage),
    }


def joined(identity: Identity) -> Known:
    """Say of what is no tool what put it into a session, or into none of several."""
    return {
        "confidence": None,
        "evidence": identity.lineage,
        "looked": identity.was_looked_at,
        "risk": (),
        "lineage": word(identity.lineage),
    }


def contact(identity: Identity | None, endpoint: str | None, runner: Evidence | None) -> Known:
    """Say what is known of somebody in no session who reaches an endpoint, or something else."""
    said = known(identity if endpoint else None)
    if identity is None or endpoint is None:
        return said
    if identity.tool is None:
        said["confidence"] = None
        seen = identity.seen
        package = [Evidence(Sign.PACKAGE.value, seen.package)] if seen and seen.package else []
        said["evidence"] = (Evidence(Sign.ENDPOINT.value, endpoint), *package, *identity.lineage)
    if runner:
        said["evidence"] = (*said["evidence"], runner)
    return said
