# SPDX-License-Identifier: Apache-2.0
"""An engine with a policy about what sessions reach, and what records of the kernel say of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.engine import Engine
from sensor.core.event import NameSource
from sensor.core.words import Enforcement, Verdict
from support.story import CATALOGUE, CLAUDE, START, StoryHost, brief, enforced, exec_, play, ruling

if TYPE_CHECKING:
    from sensor.core.event import Destination

CGROUP = ruling(Verdict.BLOCK, Enforcement.CGROUP)
TLS = ruling(Verdict.BLOCK, Enforcement.TLS)
PROXY = ruling(Verdict.BLOCK, Enforcement.PROXY)
ALERT = ruling(Verdict.ALERT)
NO_ANTHROPIC = '[[rule]]\nid = "no"\nendpoints = ["anthropic"]\nverdict = "block"\n'
INSIDE = (
    '[[rule]]\nid = "no"\ntools = ["claude-code"]\nverdict = "allow"\n'
    'egress_only = ["llm.test:8443", "192.0.2.7"]\n'
)
ANTHROPIC = 77
BY_NAME = ("198.51.100.7", 443, "anthropic.com", NameSource.DNS, "anthropic")


def engine_with(text: str = NO_ANTHROPIC) -> Engine:
    """Return an engine that goes by a policy."""
    engine = Engine(CATALOGUE, StoryHost())
    policy = enforced(text, domains={ANTHROPIC: "anthropic.com"})
    assert [brief(one) for one in engine.policy(policy, at_ns=1)] == ["policy in_force 1"]
    return engine


def running_claude() -> Engine:
    """Return an engine in which claude runs, and may not reach its vendor."""
    engine = engine_with()
    play(engine, exec_(9, *CLAUDE), START)
    return engine


def shown(to: Destination | None) -> tuple[object, ...]:
    """Return what a destination says."""
    assert to
    return (str(to.ip), to.port, to.name, to.name_source, to.endpoint)
