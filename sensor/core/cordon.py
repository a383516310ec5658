# SPDX-License-Identifier: Apache-2.0
"""Sessions that a responder blocks: each is a tool of its own in the chains of all that run in it.

The kernel refuses what a chain's tools are refused, so that a blocked session is
cut off wherever it turns, with all that it starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.actions import Follow
from sensor.core.sessions import CHAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.catalogue import Catalogue
    from sensor.core.knowledge import Knowledge
    from sensor.core.sessions import Session

WORD = "session:"
"""Begins the ids of such tools, which stand behind the catalogue's own."""


def cordon(known: Knowledge, catalogue: Catalogue) -> Iterator[Follow]:
    """Go by a catalogue that has the sessions which are blocked now; yield whom to follow anew."""
    known.catalogue = catalogue
    own = sum(not tool.id.startswith(WORD) for tool in catalogue.tools)
    members = known.lineage.members()
    sessions = {id(session): session for one in members for session in one.session.around()}
    changed = {key for key, session in sessions.items() if _marked(session, catalogue, own)}
    for member in members:
        session = member.session
        if id(session) in changed:
            exe = session.view.exe if session.view else None
            yield Follow(member.process, session.root, session.chain, exe)


def _marked(session: Session, catalogue: Catalogue, own: int) -> bool:
    """Put the marks of a session and of those around it first in its chain; the last tool stays."""
    words = (f"{WORD}{one.id}" for one in session.around())
    marks = [catalogue.index_of(word) for word in words if catalogue.tool(word)][: CHAIN - 1]
    tools = [tool for tool in session.chain if tool <= own]
    before, session.chain = session.chain, (*marks, *tools[-(CHAIN - len(marks)) :])
    return session.chain != before
