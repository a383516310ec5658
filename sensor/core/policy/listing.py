# SPDX-License-Identifier: Apache-2.0
"""A policy as people and programs are shown it: what holds, for whom, and how long."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sensor.core.policy.model import Running, WhenFull
from sensor.core.quote import quote
from sensor.core.units import count, duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sensor.core.policy.model import Condition, Policy, Rule, RuleException

_DAYS_FROM = timedelta(days=2)
_NS_PER_US = 1000
_WIDTH = 12
_ROOM = 1200
"""Columns for a text that is shown whole: the longest message, all of it escaped."""


def lines(policy: Policy, now: datetime) -> Iterator[str]:
    """Write a settled policy rule by rule, in the order in which they are asked."""
    yield (
        f"{policy.mode.value}; tools that no rule names: {policy.tool.value};"
        f" unknown clients of AI services: {policy.unknown_client.value}"
    )
    if policy.audits:
        risky = f" ({_joined(sorted(policy.audits.high_risk))})" if policy.audits.high_risk else ""
        yield f"audits of users' homes: {policy.audits.on.value}{risky}"
    for number, rule in enumerate(policy.rules, 1):
        yield ""
        mode = policy.mode_of(rule)
        yield f"{number:>3}  {rule.id}: {rule.verdict.value}, {mode.value}"
        for name, text in _parts(rule, now):
            yield f"     {name:{_WIDTH}}{text}"


def as_dict(policy: Policy, now: datetime) -> dict[str, object]:
    """Return the same in plain values."""
    return {
        "mode": policy.mode.value,
        "defaults": {
            "tool": policy.tool.value,
            "unknown_client": policy.unknown_client.value,
            "audit_on": policy.audits.on.value if policy.audits else None,
            "high_risk": sorted(policy.audits.high_risk) if policy.audits else None,
        },
        "resolvers": sorted(map(str, policy.resolvers)),
        "rules": [
            {
                "id": rule.id,
                "place": rule.place,
                "verdict": rule.verdict.value,
                "mode": policy.mode_of(rule).value,
                "tools": list(rule.tools),
                "endpoints": list(rule.endpoints),
                "egress_only": list(rule.egress) if rule.confines else None,
                **_who(rule.condition),
                "running": rule.running.value,
                "when_full": rule.when_full.value,
                "message": rule.message,
                "exceptions": [_exception(one, now) for one in rule.exceptions],
                "expires": rule.expires.isoformat() if rule.expires else None,
                "ticket": rule.ticket,
                "reason": rule.reason,
            }
            for rule in policy.rules
        ],
    }


def remaining(end: datetime, now: datetime) -> str:
    """Say how long something holds."""
    if end <= now:
        return "ended"
    left = end - now
    if left >= _DAYS_FROM:
        return f"{left.days} days left"
    return f"{duration(left // timedelta(microseconds=1) * _NS_PER_US)} left"


def _who(condition: Condition) -> dict[str, object]:
    return {
        "users": list(condition.users),
        "groups": list(condition.groups),
        "uids": sorted(condition.uids) if condition.names_users else None,
        "cgroups": list(condition.cgroups),
        "container": condition.container,
        "paths": list(condition.paths),
        "risk": list(condition.risk),
    }


def _exception(one: RuleException, now: datetime) -> dict[str, object]:
    return {
        **_who(one.condition),
        "ticket": one.ticket,
        "reason": one.reason,
        "expires": one.expires.isoformat(),
        "active": now < one.expires,
    }


def _parts(rule: Rule, now: datetime) -> Iterator[tuple[str, str]]:
    if rule.tools:
        yield "tools", _joined(rule.tools)
    if rule.endpoints:
        yield "endpoints", _joined(rule.endpoints)
    if rule.confines:
        yield "egress only", _joined(rule.egress)
    if who := _named(rule.condition):
        yield "for", who
    if rule.running is not Running.DISCONNECT:
        yield "running", rule.running.value
    if rule.when_full is not WhenFull.OPEN:
        yield "when full", rule.when_full.value
    if rule.message:
        yield "message", quote(rule.message, _ROOM)
    if rule.expires:
        yield "until", _until(rule.expires, now, rule.ticket, rule.reason)
    for one in rule.exceptions:
        end = _until(one.expires, now, one.ticket, one.reason)
        yield "exception", f"{_named(one.condition)}; until {end}"


def _until(end: datetime, now: datetime, ticket: str | None, reason: str | None) -> str:
    told = [quote(text, _ROOM) for text in (ticket, reason) if text]
    return ", ".join([f"{end.isoformat()} ({remaining(end, now)})", *told])


def _named(condition: Condition) -> str:
    parts = []
    if condition.users:
        parts.append(f"users {_joined(condition.users)}")
    if condition.groups:
        parts.append(f"groups {_joined(condition.groups)}")
    if condition.names_users:
        parts.append(count(len(condition.uids), "uid known here", "uids known here"))
    if condition.cgroups:
        parts.append(f"cgroups {_joined(condition.cgroups)}")
    if condition.container is not None:
        parts.append("in a container" if condition.container else "outside of containers")
    if condition.paths:
        parts.append(f"below {_joined(condition.paths)}")
    if condition.risk:
        parts.append(f"runs that are {_joined(condition.risk)}")
    return "; ".join(parts)


def _joined(words: Iterable[str]) -> str:
    return ", ".join(quote(word, _ROOM) for word in words)
