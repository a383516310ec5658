# SPDX-License-Identifier: Apache-2.0
"""Notices: one line for the person whose program was refused, now and then, not each time."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from sensor.core.actions import Notify
from sensor.core.facts import Process
from sensor.core.quote import quote
from sensor.core.words import RUNTIME, TICKET, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.event import Event

EVERY_NS = 10_000_000_000
"""So seldom is one person told of one tool and rule on one terminal."""

REMEMBERED = 1024
"""People, terminals, tools and rules for which the time is kept; the oldest makes room."""

MESSAGE_LIMIT = 240
"""Columns for what a rule says: three lines of a terminal."""


_Key = tuple[int | None, str, str | None, str | None]


class Notices:
    """Says which refusals somebody is told of, and in which words."""

    def __init__(self) -> None:
        self._told_ns: OrderedDict[_Key, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._told_ns)

    def of(self, event: Event) -> Iterator[Notify]:
        """Give the notice of a refusal, if its process has a terminal and it is time for one."""
        process = event.process
        if process is None or process.tty is None:
            return
        key = (process.uid, process.tty, event.tool, event.rule)
        last_ns = self._told_ns.get(key)
        if last_ns is not None and last_ns <= event.at_ns < last_ns + EVERY_NS:
            return
        self._told_ns[key] = event.at_ns
        self._told_ns.move_to_end(key)
        if len(self._told_ns) > REMEMBERED:
            self._told_ns.popitem(last=False)
        yield Notify(
            process=Process(process.pid, process.started_ns),
            tty=process.tty,
            uid=process.uid,
            loginuid=process.loginuid,
            text=text(event),
        )


def text(event: Event) -> str:
    """Write the rule's message, or else what was refused and why; ``explain`` says more."""
    said = quote(event.reason, MESSAGE_LIMIT).strip('"') if event.reason else ""
    if not said:
        said = _default(event)
    elif _is_block(event) and said.startswith(TICKET):
        said = f"{_default(event)}, {said}"
    return f"agent-sensor: {said} (agent-sensor explain {event.seq})"


def _default(event: Event) -> str:
    to = event.destination
    if event.kind is Kind.CONNECT and to:
        what = f"a connection to {quote(to.name or str(to.ip or '-'))}"
    else:
        what = quote(event.tool) if event.tool else "a program"
    kind = "block" if _is_block(event) else "rule"
    return f"{what} was refused by {kind} {quote(event.rule or '-')}"


def _is_block(event: Event) -> bool:
    """Tell whether a responder's block refused it."""
    return event.rule is not None and event.rule.startswith(RUNTIME)
