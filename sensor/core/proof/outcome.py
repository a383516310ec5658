# SPDX-License-Identifier: Apache-2.0
"""What came of an attempt: what happened to it, held beside what the stream says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.proof.technique import Result, Row, Start
from sensor.core.words import Enforcement, Kind, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor.core.event import Event
    from sensor.core.proof.aim import Aim
    from sensor.core.proof.technique import Technique

NO_TOOL = "the policy in force blocks no such tool for root here"
NO_DESTINATION = "the policy in force keeps root here from nothing that this could reach"

_TOLD = {Verdict.ALERT, Verdict.WOULD_BLOCK, Verdict.BLOCK}
_BY_ERROR = {Enforcement.LSM: "EPERM", Enforcement.KILL: "SIGKILL"}
"""What an execution ends with, by the way that it is said to have been refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What happened. ``through``: the mark is there, or the listener has heard what was said.

    ``ended`` is the error or signal that it ended with, ``lacks`` what the kernel
    or the host has not, and ``pids`` are the processes that tried.
    """

    through: bool
    ended: str | None = None
    lacks: str | None = None
    pids: frozenset[int] = frozenset()


def idle(technique: Technique) -> Row:
    """Give the row of a technique for which the policy has nothing."""
    why = NO_TOOL if isinstance(technique.way, Start) else NO_DESTINATION
    return Row(technique.id, Result.NOTHING, Result.NOTHING, why)


def concerning(
    technique: Technique, aim: Aim, tried: Tried, events: Iterable[Event]
) -> list[Event]:
    """Give what the stream says against the attempt: the events of those who tried it.

    One that names nobody is known by its destination: no two techniques share one.
    """
    kind = Kind.EXEC if isinstance(technique.way, Start) else Kind.CONNECT
    return [
        event
        for event in events
        if event.kind is kind and event.verdict in _TOLD and _is_of(event, aim, tried)
    ]


def row(technique: Technique, aim: Aim, tried: Tried, events: Iterable[Event]) -> Row:
    """Say what it came to."""
    against = concerning(technique, aim, tried, events)
    result, detail = _result(technique, aim, tried, against)
    if result is Result.MISSED and technique.blind:
        detail = technique.blind
    return Row(technique.id, aim.expected, result, detail)


def is_settled(technique: Technique, aim: Aim, tried: Tried, events: Iterable[Event]) -> bool:
    """Say whether nothing more has to be waited for."""
    if tried.lacks or aim.expected is Result.MISSED:
        return True
    return bool(concerning(technique, aim, tried, events))


def _result(
    technique: Technique, aim: Aim, tried: Tried, against: list[Event]
) -> tuple[Result, str]:
    if tried.lacks:
        return Result.IMPOSSIBLE, tried.lacks
    if tried.through and against:
        return Result.DETECTED, f"it went through, told as {_words(against[0])}"
    if tried.through:
        return Result.MISSED, "it went through, and nobody was told"
    ended = f"it ended with {tried.ended}" if tried.ended else "nothing came of it"
    told = next((event for event in against if event.is_refused), None)
    if told is None:
        said = _words(against[0]) if against else "nothing"
        return Result.FAILED, f"{ended}; told as {said}"
    words = f"{_words(told)}; {ended}"
    if wrong := _mistold(technique, aim, tried, told):
        result, words = Result.FAILED, f"{words}, but {wrong}"
    elif technique.late:
        result, words = Result.DETECTED, f"{words}, soon enough or not: {technique.late}"
    else:
        result = Result.REFUSED
    return result, words


def _mistold(technique: Technique, aim: Aim, tried: Tried, told: Event) -> str | None:
    """Say what is wrong with what the stream says of a refusal, None where nothing is."""
    by = told.enforcement
    if isinstance(technique.way, Start) and by and _BY_ERROR.get(by) != tried.ended:
        return "that is not how it ended"
    if aim.by is not None and by is not aim.by:
        return f"{aim.by.value} was to be expected"
    if told.rule != aim.rule:
        return f"rule {aim.rule} was to be expected"
    return None


def _words(event: Event) -> str:
    verdict = event.verdict.value if event.verdict else "no verdict"
    by = event.enforcement
    way = f" by {by.value}" if by not in {None, Enforcement.NONE} and by else ""
    nobody = "" if event.process else ", by whom is not said"
    return f"{verdict}{way}, rule {event.rule}{nobody}"


def _is_of(event: Event, aim: Aim, tried: Tried) -> bool:
    to = event.destination
    if event.process is None and to is not None:
        return (to.ip, to.port) == (aim.address, aim.port)
    return bool(_pids(event) & tried.pids)


def _pids(event: Event) -> frozenset[int]:
    """Give who did it and who started them: a refused child of vfork is not always known."""
    own = {event.process.pid} if event.process else set()
    return frozenset(own | ({event.parent.pid} if event.parent else set()))
