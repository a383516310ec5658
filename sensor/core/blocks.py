# SPDX-License-Identifier: Apache-2.0
"""What responders block at run time: read from a request, kept as text, ended by the clock.

A session is blocked as if it were a tool of its own: ``session:ID`` among the
tools, which stands in the catalogue behind all others while the block lasts.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sensor.core.cordon import WORD as SESSION
from sensor.core.entries import LINE, Entry, Shape
from sensor.core.policy.model import RuntimeBlock
from sensor.core.quote import quote
from sensor.core.tools import Category, Tool
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sensor.core.catalogue import Catalogue

VERSION = 1
"""The format of the text."""

MOST = 256
"""Blocks at a time."""

SESSIONS = 512
"""Numbers for sessions that are blocked; more than blocks, so that there is a free one."""

LONGEST = timedelta(days=366)

_LONGEST = 4096
"""Columns: more than any word that a block may have takes, with escapes."""

_KEYS = ("tools", "users", "endpoints", "sessions", "ticket", "reason", "message", "expires")
_SESSION_ID = Shape(re.compile(r"[a-z2-7]{8}"), "write the id of a session, like uimgkfb4")
_TIME = Shape(
    re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})"),
    "write a time with its zone, like 2027-01-31T00:00:00Z",
)


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks there are, and the number of the next one: none is given twice."""

    blocks: tuple[RuntimeBlock, ...] = ()
    following: int = 1

    def add(self, asked: Mapping[str, object], now: datetime) -> tuple[Blocks, RuntimeBlock]:
        """Add what somebody asks for. BadInputError names the word and the remedy."""
        if len(self.blocks) >= MOST:
            raise BadInputError(f"block: there are {MOST} already; remove some (block rm)")
        taken = {*self.sessions().values()}
        number = self.following
        while (number - 1) % SESSIONS in taken:
            number += 1
        block = _block(number, asked, "block add")
        if block.expires <= now:
            raise BadInputError(f"block: {block.expires.isoformat()} is past; write a later end")
        if block.expires > now + LONGEST:
            raise BadInputError("block: ends in more than a year; put it into the policy instead")
        return Blocks((*self.blocks, block), number + 1), block

    def remove(self, block_id: str) -> Blocks:
        """Take one away. BadInputError where there is none of this id."""
        left = tuple(block for block in self.blocks if block.id != block_id)
        if len(left) == len(self.blocks):
            known = ", ".join(block.id for block in self.blocks) or "none"
            raise BadInputError(f"block: no {block_id!a}; there are: {known}")
        return replace(self, blocks=left)

    def tidied(self, now: datetime) -> Blocks:
        """Leave out what has ended: in the kernel it has by itself."""
        return replace(self, blocks=tuple(one for one in self.blocks if one.expires > now))

    def ends(self) -> datetime | None:
        """Say when the next one ends."""
        return min((block.expires for block in self.blocks), default=None)

    def sessions(self) -> dict[str, int]:
        """Give the sessions that are blocked, each with a number that it keeps while it is.

        The kernel knows it by that number, over reloads and restarts.
        """
        found: dict[str, int] = {}
        for block in self.blocks:
            for session in sessions_of(block):
                found.setdefault(session, (block.number - 1) % SESSIONS)
        return found


def sessions_of(block: RuntimeBlock) -> list[str]:
    """Give the sessions that a block is about."""
    return [word.removeprefix(SESSION) for word in block.tools if word.startswith(SESSION)]


def as_dict(block: RuntimeBlock) -> dict[str, object]:
    """Give a block as plain values, by the names that it was asked for with."""
    return {
        "id": block.id,
        "tools": [word for word in block.tools if not word.startswith(SESSION)],
        "sessions": sessions_of(block),
        "users": list(block.users),
        "endpoints": list(block.endpoints),
        "ticket": block.ticket,
        "reason": block.reason,
        "message": block.message,
        "expires": block.expires.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }


def trail(before: Blocks, after: Blocks, now: datetime, *, by: str = "") -> str | None:
    """Say which blocks came, ended or were removed, and ``by`` whom; None where none did."""
    who = f" by {by}" if by else ""
    said = [
        f"{one.id} added{who}: {_said(one)}" for one in after.blocks if one not in before.blocks
    ]
    for one in before.blocks:
        if one not in after.blocks:
            how = f"removed{who}" if one.expires > now else "ended"
            said.append(f"{one.id} {how}: {_said(one)}")
    return "; ".join(said) or None


def _said(block: RuntimeBlock) -> str:
    """Write what is blocked, until when and why; what responders typed is quoted."""
    told = as_dict(block)
    named = [(word, list(map(str, rows))) for word, rows in told.items() if isinstance(rows, list)]
    parts = [f"{word.removesuffix('s')} {_whole(rows)}" for word, rows in named if rows]
    return f"{', '.join(parts)}, until {told['expires']}, ticket {_whole([block.ticket])}"


def _whole(words: list[str]) -> str:
    """Quote words without a cut: this is kept, and nothing else is of a block that is gone."""
    return " ".join(quote(word, _LONGEST) for word in words)


def text_of(blocks: Blocks) -> str:
    """Write the blocks as they are kept."""
    rows = [{"number": block.number, **as_dict(block)} for block in blocks.blocks]
    kept = {"version": VERSION, "following": blocks.following, "blocks": rows}
    return json.dumps(kept, indent=1, ensure_ascii=False) + "\n"


def blocks_of(text: str, *, where: str) -> Blocks:
    """Read what was kept. BadInputError where that is damaged: nothing is left out in silence."""
    try:
        kept = json.loads(text)
        if kept["version"] != VERSION:
            raise BadInputError(f"{where}: version {kept['version']!a}; this one reads {VERSION}")
        rows = [(int(row.pop("number")), row) for row in kept["blocks"]]
        for _, row in rows:
            del row["id"]
        following = int(kept["following"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise BadInputError(
            f"{where}: damaged ({type(problem).__name__}: {problem}); remove it, and block anew"
        ) from problem
    return Blocks(tuple(_block(number, row, where) for number, row in rows), following)


def with_sessions(catalogue: Catalogue, sessions: Mapping[str, int]) -> Catalogue:
    """Give the catalogue with blocked sessions as tools behind its own, each in its place."""
    by_place = {place: session for session, place in sessions.items()}
    places = range(max(by_place, default=-1) + 1)
    # Where there is none, a word that no session has keeps the place.
    tools = (_as_tool(by_place.get(place, f"-{place}")) for place in places)
    return replace(catalogue, tools=(*catalogue.tools, *tools))


def _as_tool(session: str) -> Tool:
    return Tool(
        id=f"{SESSION}{session}",
        name=f"session {session}",
        vendor="",
        category=Category.SDK,
        marks=(),
    )


def _block(number: int, asked: Mapping[str, object], where: str) -> RuntimeBlock:
    given = {key: value for key, value in asked.items() if value is not None and value != []}
    entry = Entry(where, f"runtime-{number}", given)
    entry.only(*_KEYS)
    sessions = entry.texts("sessions", _SESSION_ID)
    if len(sessions) > 1:
        raise entry.wrong("sessions", "names several", "block one session at a time")
    tools = entry.texts("tools", LINE)
    users, endpoints = entry.texts("users", LINE), entry.texts("endpoints", LINE)
    if not (tools or sessions or users or endpoints):
        raise entry.wrong("tools", "is missing", "name a tool, user, session or endpoint")
    return RuntimeBlock(
        number=number,
        expires=datetime.fromisoformat(entry.text("expires", _TIME)),
        ticket=entry.text("ticket", LINE),
        tools=(*tools, *(f"{SESSION}{one}" for one in sessions)),
        endpoints=endpoints,
        users=users,
        reason=entry.optional("reason", LINE),
        message=entry.optional("message", LINE),
    )
