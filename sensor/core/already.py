# SPDX-License-Identifier: Apache-2.0
"""Already there: what a policy that comes into force makes of sessions that run.

What they start and reach from now on is the kernel's to refuse. Connections that
are open are closed, and where a rule says so, their processes are ended.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sensor.core.reaching import destruction
from sensor.core.words import Enforcement, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.actions import Action
    from sensor.core.judgment import Judgment
    from sensor.core.knowledge import Knowledge
    from sensor.core.reaching import Reaching
    from sensor.core.sessions import Session


def there(known: Knowledge, reaching: Reaching, at_ns: int) -> Iterator[Action]:
    """Judge every session that runs and every connection that is open."""
    members = known.lineage.members()
    for session in {id(one): one for member in members for one in member.session.around()}.values():
        session.doom = _doom(known, session, at_ns)
    for cookie, flow in known.flows.items():
        if judged := reaching.judged(flow, at_ns):
            known.flows.end(cookie)
            record = known.stream.open_already(at_ns, flow.member, flow.to, judged)
            yield record
            yield from known.notices.of(record.event)
            yield from destruction(cookie, flow)
    for member in members:
        if doom := member.session.doomed():
            record = known.stream.ran_already(at_ns, member, doom)
            yield record
            yield from known.notices.of(record.event)
            yield known.kill(member.process, record.event)


def _doom(known: Knowledge, session: Session, at_ns: int) -> Judgment | None:
    """Say why a session is to be ended, None where it may go on."""
    enforced = known.rules.in_force
    if enforced is None:
        return None
    attempt = known.execution(session.tool.id, session.root, session.view, session.identity.risk)
    judged, kills = enforced.judge(attempt, known.wall_ns(at_ns))
    if judged.verdict is Verdict.BLOCK and kills:
        return replace(judged, enforcement=Enforcement.KILL)
    return None
