# SPDX-License-Identifier: Apache-2.0
"""Why an event is what it is: the evidence with its weights, the rule, what would change it.

Reasons for a tool stand in the event that began its session; an event within it is explained by
them. Weights are those of the catalogue at hand; where another one judged, this is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.absent import SAID, absent
from sensor.core.judgment import DEFAULT_RULE, parted
from sensor.core.quote import quote
from sensor.core.weights import THRESHOLD, confidence_of, weigh
from sensor.core.words import RUNTIME, UNKNOWN_CLIENT, Enforcement, Kind, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.absent import Absent
    from sensor.core.catalogue import Catalogue
    from sensor.core.event import Event, Evidence
    from sensor.core.tools import Mark, Tool

MARKS = 12
"""So many absent marks are listed for people; JSON has all."""

MESSAGE_LIMIT = 240
"""Columns for what a rule says to people, and for what the sensor adds."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence; ``weight`` is None where the catalogue lacks it.

    ``mark`` is None also where it is none of the tool's marks, but what a look showed.
    ``without`` is the confidence that would be left if it were not there.
    """

    evidence: Evidence
    mark: Mark | None
    weight: float | None
    without: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that speaks for and against; ``start`` is the event that began the session."""

    event: Event
    start: Event | None
    tool: Tool | None
    reasons: tuple[Reason, ...]
    absent: tuple[Absent, ...]
    recomputed: float | None
    would_change: tuple[str, ...]

    @property
    def confidence(self) -> float | None:
        """The confidence as it was judged then."""
        judged = _judged(self.event, self.start)
        return judged.confidence if judged else None

    def as_dict(self) -> dict[str, object]:
        """Return it in plain values."""
        return {
            "seq": self.event.seq,
            "line": self.event.line,
            "kind": self.event.kind.value,
            "tool": self.event.tool,
            "vendor": self.event.vendor,
            "session": self.event.session,
            "session_start_seq": self.start.seq if self.start else None,
            "confidence": self.confidence,
            "recomputed": self.recomputed,
            "threshold": THRESHOLD,
            "evidence": [
                {
                    "signal": one.evidence.signal,
                    "value": one.evidence.value,
                    "weight": one.weight,
                    "weak": one.mark.weak if one.mark else None,
                    "source": one.mark.source if one.mark else None,
                    "without": one.without,
                }
                for one in self.reasons
            ],
            "absent": [
                {"signal": one.signal, "value": one.value, "weight": one.weight}
                for one in self.absent
            ],
            "looked": self._looked,
            "risk": [{"signal": one.signal, "value": one.value} for one in self.event.risk],
            "lineage": self.event.lineage,
            "verdict": self.event.verdict.value if self.event.verdict else None,
            "rule": self.event.rule,
            "rule_said": rule_said(self.event),
            "enforcement": self.event.enforcement.value if self.event.enforcement else None,
            "enforced": enforced(self.event),
            "message": self._said[0],
            "why": self._said[1],
            "would_change": list(self.would_change),
        }

    def lines(self) -> Iterator[str]:
        """Write it for people."""
        yield self.event.line
        yield ""
        yield from self._identity()
        yield f"verdict     {rule_said(self.event)}"
        if how := enforced(self.event):
            yield f"enforced    {how}"
        for label, text in zip(("message", "why"), self._said, strict=True):
            if text:
                yield f"{label:10}  {quote(text, MESSAGE_LIMIT)}"
        for position, text in enumerate(self.would_change):
            yield f"{'' if position else 'changed by':10}  {text}"

    def _identity(self) -> Iterator[str]:
        if self.event.tool is None:
            yield f"tool        none: {_NO_TOOL.get(self.event.kind, 'it is part of no session')}"
            yield from _listed("lineage", self.event.evidence)
            return
        if self.event.tool == UNKNOWN_CLIENT:
            yield f"tool        {UNKNOWN_CLIENT}: in no session, and it reached an AI service"
            yield from _listed("evidence", self.event.evidence)
            return
        name = f" ({quote(self.tool.name)})" if self.tool else ", which this catalogue lacks"
        yield f"tool        {quote(self.event.tool)}{name}"
        if self.start and self.start is not self.event:
            began = f"judged when it began, at event {self.start.seq}"
            yield f"session     {self.event.session}, {began}"
        elif self.event.session is None:
            yield "session     none: it was refused before one began"
        elif not self.reasons:
            yield f"session     {self.event.session}, whose beginning is not stored"
        if self.event is not _judged(self.event, self.start):
            yield from _listed("lineage", self.event.evidence)
        yield from self._evidence()

    def _evidence(self) -> Iterator[str]:
        for position, reason in enumerate(self.reasons):
            yield f"{'' if position else 'evidence':10}  {_reason(reason)}"
        if self.reasons:
            yield f"confidence  {self._arithmetic()}"
        for position, text in enumerate(self._absent()):
            yield f"{'' if position else 'absent':10}  {text}"
        yield from _listed("risk", self.event.risk)

    @property
    def _said(self) -> tuple[str | None, str | None]:
        return parted(self.event.rule, self.event.reason if self.event.verdict else None)

    @property
    def _looked(self) -> bool:
        judged = _judged(self.event, self.start)
        return bool(judged and judged.looked)

    def _arithmetic(self) -> str:
        weights = [reason.weight for reason in self.reasons]
        if None in weights:
            return f"{self.confidence}, by a catalogue that had weights which this one lacks"
        terms = " x ".join(f"(1 - {weight})" for weight in weights)
        text = f"{self.recomputed} = 1 - {terms}; {THRESHOLD} makes a tool"
        if self.recomputed != self.confidence:
            return f"{text}; it was {self.confidence} then, by another catalogue"
        return text

    def _absent(self) -> Iterator[str]:
        for one in self.absent[:MARKS]:
            yield f"{one.signal} {quote(one.value)}  weight {one.weight}"
        if len(self.absent) > MARKS:
            yield f"[+{len(self.absent) - MARKS} marks]"
        if self.reasons and not self._looked and self.tool and self.tool.packages:
            yield "not looked for: package, settings, state"


def explain(event: Event, start: Event | None, catalogue: Catalogue) -> Explanation:
    """Explain an event; ``start`` is the session_start of its session, if it is stored."""
    judged = _judged(event, start)
    tool = catalogue.tool(event.tool) if event.tool else None
    evidence = judged.evidence if judged else ()
    marks = {(mark.kind.value, mark.value): mark for mark in tool.signs} if tool else {}
    found = [marks.get((one.signal, one.value)) for one in evidence]
    weights = weigh(evidence, tool)
    known = [weight for weight in weights if weight is not None]
    reasons = tuple(
        Reason(one, mark, weight, _without(weights, position))
        for position, (one, mark, weight) in enumerate(zip(evidence, found, weights, strict=True))
    )
    return Explanation(
        event=event,
        start=judged if judged and judged.kind is Kind.SESSION_START else start,
        tool=tool,
        reasons=reasons,
        absent=tuple(absent(tool, evidence, looked=bool(judged and judged.looked))),
        recomputed=confidence_of(known) if len(known) == len(weights) and weights else None,
        would_change=tuple(_changes(event, reasons)),
    )


def rule_said(event: Event) -> str:
    """Say in a sentence which rule decided, and what it means."""
    if event.verdict is None:
        return f"none: {event.kind.value} tells what happened, and nothing is decided about it"
    rule = event.rule or "-"
    if rule != DEFAULT_RULE:
        return f"{event.verdict.value} by rule {quote(rule)}"
    said = f"{event.verdict.value} by rule default"
    if event.tool == UNKNOWN_CLIENT:
        return f"{said}: what [defaults] unknown_client says of whoever reaches an AI service"
    if event.verdict is Verdict.ALLOW:
        return f"{said}: no rule names what this session does"
    if event.verdict is Verdict.ALERT:
        return f"{said}: no rule names this tool, and a tool that starts is told"
    return f"{said}: what [defaults] tool says of a tool that no rule names"


def enforced(event: Event) -> str | None:
    """Say in a sentence how a block was carried out, or that it was not; None for no block."""
    if event.verdict is Verdict.WOULD_BLOCK:
        return "not at all, in shadow mode; in enforce mode it would have been refused"
    if event.verdict is not Verdict.BLOCK:
        return None
    return _HOW[event.enforcement or Enforcement.NONE]


def _listed(head: str, evidence: tuple[Evidence, ...]) -> Iterator[str]:
    for position, one in enumerate(evidence):
        yield f"{'' if position else head:10}  {one.signal} {quote(one.value)}"


def _judged(event: Event, start: Event | None) -> Event | None:
    """Return the event with the evidence: its own counts before that of its session's start.

    What put a process into a session (no confidence) says nothing of what it is.
    """
    is_lineage = event.lineage is not None and event.confidence is None
    return event if event.evidence and not is_lineage else start


def _without(weights: list[float | None], position: int) -> float | None:
    rest = weights[:position] + weights[position + 1 :]
    known = [weight for weight in rest if weight is not None]
    return confidence_of(known) if len(known) == len(rest) else None


def _reason(reason: Reason) -> str:
    what = f"{reason.evidence.signal} {quote(reason.evidence.value)}"
    if reason.weight is None:
        return f"{what}  weight unknown: this catalogue lacks the mark"
    if reason.mark is None:
        return f"{what}  {SAID.get(reason.evidence.signal) or f'weight {reason.weight}'}"
    weak = ", weak: other software bears it too" if reason.mark.weak else ""
    weak = ", shared: a stranger bears it too" if reason.mark.shared else weak
    return f"{what}  weight {reason.weight}{weak} ({quote(reason.mark.source)})"


def _changes(event: Event, reasons: tuple[Reason, ...]) -> Iterator[str]:
    """Say what would have made it another tool's, nobody's, or another verdict."""
    for reason in reasons:
        if reason.without is None:
            continue
        what = f"without {reason.evidence.signal} {quote(reason.evidence.value)}"
        if reason.without >= THRESHOLD:
            yield f"{what}: still {quote(event.tool or '-')}, at {reason.without}"
        elif reason.without:
            yield f"{what}: no tool, {reason.without} is less than {THRESHOLD}"
        else:
            yield f"{what}: no tool, nothing else speaks for one"
    if event.verdict is Verdict.BLOCK and event.rule:
        yield "mode shadow: it would have been told, and let go on"
    if event.verdict and event.rule == DEFAULT_RULE and event.tool:
        named = "the endpoint" if event.tool == UNKNOWN_CLIENT else quote(event.tool)
        yield f"a rule that names {named}: its verdict, in place of the default"
    elif event.verdict and event.rule and event.rule.startswith(RUNTIME):
        yield f"`agent-sensor block rm {quote(event.rule)}`, or its end"
    elif event.verdict and event.rule:
        yield f"an exception to rule {quote(event.rule)}, or a rule before it that matches"


_HOW = {
    Enforcement.LSM: "lsm: execve(2) failed with EPERM, before the new image was there",
    Enforcement.KILL: "kill: SIGKILL",
    Enforcement.CGROUP: "cgroup: connect(2), or the send, failed with EPERM",
    Enforcement.TLS: "tls: the first words of the connection were held back, and it was closed",
    Enforcement.PROXY: "proxy: the request to the proxy was held back, and it was closed",
    Enforcement.DESTROY: "destroy: it was open already, and was closed",
    Enforcement.NONE: "none: it ran already, and the sensor did not end it",
}

_NO_TOOL = {
    Kind.POLICY: "it tells by which policy the sensor goes",
    Kind.HEALTH: "it tells of the sensor itself",
    Kind.LOSS: "it tells what the sensor lost, of whoever it was",
    Kind.GAP: "it tells of which time something may be missing",
    Kind.INVENTORY: "an audit found it; the traces are in the event",
}
