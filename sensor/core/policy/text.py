# SPDX-License-Identifier: Apache-2.0
"""The text of a policy: TOML in, values out. docs/policy.md has every key."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeVar

from sensor.core.audit.trigger import Occasion, On
from sensor.core.entries import LINE, SLUG, Document, Entry, Shape
from sensor.core.mistakes import Mistakes, guess, refuse
from sensor.core.policy.contradictions import refuse_contradictions
from sensor.core.policy.model import (
    Condition,
    Mode,
    Policy,
    Rule,
    RuleException,
    Running,
    WhenFull,
)
from sensor.core.policy.targets import EVERYTHING, Words
from sensor.core.policy.whom import WHO, condition, several
from sensor.core.words import Verdict
from sensor.errors import BadWordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sensor.core.catalogue import Catalogue
    from sensor.core.facts import Address
    from sensor.core.policy.model import RuntimeBlock, Target

_Choice = TypeVar("_Choice", bound=Enum)
_Named = TypeVar("_Named")

VERSION = 1
"""The format that this reader knows."""

_MESSAGE_LETTERS = 300
_MESSAGE = Shape(
    re.compile(rf"[^\x00-\x1f\x7f]{{1,{_MESSAGE_LETTERS}}}"),
    f"write one line of {_MESSAGE_LETTERS} letters at most",
)
_TAKEN = re.compile(r"default|quic|canary|full|runtime-.*")

_RULE = (
    "id", "tools", "endpoints", *WHO, "risk", "verdict", "mode", "message", "egress_only",
    "running", "when_full",
)  # fmt: skip
_NEVER = datetime.max.replace(tzinfo=UTC)
_DEFAULTS = ("tool", "unknown_client", "audit_on", "high_risk")
_VERDICTS = {one.value: one for one in (Verdict.ALLOW, Verdict.ALERT, Verdict.BLOCK)}


def parse(text: str, *, where: str, catalogue: Catalogue) -> Policy:
    """Read a policy; ``where`` names the file in errors.

    BadInputError names the place, the rule, the key and the remedy; MistakesError
    has all mistakes that one reading finds.
    """
    document = Document(text, where=where)
    root, words, found = document.root, Words(catalogue), Mistakes()
    found.read(None, root.only, "version", "mode", "defaults", "dns", "rule", "exception")
    found.read(None, root.version, VERSION)
    nothing = Entry(where, "", {})
    defaults = found.read(nothing, root.within, "defaults", *_DEFAULTS)
    dns = found.read(nothing, root.within, "dns", "resolvers")
    entries = found.read([], _entries, document, "rule")
    rules = [(one, rule) for one in entries if (rule := found.read(None, _rule, one, words))]
    found.read(None, _refuse_twins, rules)
    # Those of rules with mistakes too: it is not the exception that is wrong.
    ids = {named for one in entries if isinstance(named := one.table.get("id"), str)}
    exceptions: dict[str, list[RuleException]] = defaultdict(list)
    for one in found.read([], _entries, document, "exception"):
        if read := found.read(None, _exception, one, ids):
            exceptions[read[0]].append(read[1])
    policy = Policy(
        mode=found.read(Mode.OBSERVE, root.choice, "mode", Mode),
        tool=found.read(None, _verdict, defaults, "tool") or Verdict.ALERT,
        unknown_client=found.read(None, _verdict, defaults, "unknown_client") or Verdict.ALERT,
        resolvers=found.read(frozenset(), _resolvers, dns),
        rules=tuple(
            replace(rule, exceptions=tuple(exceptions[rule.id])) if rule.id in exceptions else rule
            for _, rule in rules
        ),
        services=words.services(),
        audits=found.read(None, _occasion, defaults, words),
    )
    found.refuse(document.in_order)
    return policy


def _entries(document: Document, header: str) -> list[Entry]:
    return list(document.entries(document.root, header, header=header))


def with_blocks(policy: Policy, blocks: Iterable[RuntimeBlock], catalogue: Catalogue) -> Policy:
    """Put what responders block before all rules.

    BadInputError names the block, the word and the remedy.
    """
    words = Words(catalogue)
    rules = tuple(_block(block, words) for block in blocks)
    return replace(policy, rules=rules + policy.rules)


def _block(block: RuntimeBlock, words: Words) -> Rule:
    """Read a block as if it were a rule."""
    table: dict[str, object] = {
        "tools": list(block.tools),
        "endpoints": list(block.endpoints),
        "users": list(block.users),
        "groups": list(block.groups),
    }
    if not block.tools and not block.endpoints:
        table["tools"] = [EVERYTHING]
    entry = Entry("block", block.id, {key: value for key, value in table.items() if value})
    if not (block.tools or block.endpoints or block.users or block.groups):
        raise entry.wrong("tools", "is missing", "name a tool, an endpoint or a user")
    tools = entry.texts("tools", LINE)
    endpoints = entry.texts("endpoints", LINE)
    return Rule(
        id=block.id,
        verdict=Verdict.BLOCK,
        condition=condition(entry, _tools(entry, words)),
        targets=_targets(entry, "endpoints", words),
        message=block.message,
        expires=block.expires,
        ticket=block.ticket,
        reason=block.reason,
        tools=tools,
        endpoints=endpoints,
        place=block.id,
    )


def _rule(entry: Entry, words: Words) -> Rule:
    found = Mistakes()
    found.read(None, entry.only, *_RULE)
    rule = Rule(
        id=found.read("", _id, entry),
        verdict=found.read(Verdict.ALERT, _needed_verdict, entry),
        condition=found.read(Condition(), condition, entry, found.read(None, _tools, entry, words)),
        targets=found.read((), _targets, entry, "endpoints", words),
        egress_only=found.read(None, _egress, entry, words),
        mode=found.read(None, _mode, entry),
        message=found.read(None, entry.optional, "message", _MESSAGE),
        running=found.read(Running.DISCONNECT, _or, entry, "running", Running, Running.DISCONNECT),
        when_full=found.read(WhenFull.OPEN, _or, entry, "when_full", WhenFull, WhenFull.OPEN),
        tools=found.read((), entry.texts, "tools", LINE),
        endpoints=found.read((), entry.texts, "endpoints", LINE),
        egress=found.read((), entry.texts, "egress_only", LINE),
        place=entry.place,
    )
    found.refuse()
    refuse_contradictions(entry, rule)
    return rule


def _id(entry: Entry) -> str:
    rule_id = entry.text("id", SLUG)
    if _TAKEN.fullmatch(rule_id):
        raise entry.wrong("id", f"{rule_id!a} is taken by the sensor itself", "write another")
    return rule_id


def _needed_verdict(entry: Entry) -> Verdict:
    verdict = _verdict(entry, "verdict")
    if verdict is None:
        raise entry.wrong("verdict", "is missing", f"write one of {', '.join(_VERDICTS)}")
    return verdict


def _egress(entry: Entry, words: Words) -> tuple[Target, ...] | None:
    return _targets(entry, "egress_only", words) if "egress_only" in entry.table else None


def _mode(entry: Entry) -> Mode | None:
    return entry.choice("mode", Mode) if "mode" in entry.table else None


def _occasion(entry: Entry, words: Words) -> Occasion | None:
    """Read after which detections an audit follows; a list that would mean nothing is refused."""
    risky = _tools(entry, words, "high_risk")
    if "audit_on" not in entry.table:
        if risky is not None:
            remedy = f'write audit_on = "{On.HIGH_RISK.value}", or leave it out'
            raise entry.wrong("high_risk", "is there without audit_on", remedy)
        return None
    on = entry.choice("audit_on", On)
    if on is On.HIGH_RISK and risky is None:
        raise entry.wrong("high_risk", "is missing", "name the tools that audit_on is about")
    return Occasion(on, risky or frozenset())


def _tools(entry: Entry, words: Words, key: str = "tools") -> frozenset[str] | None:
    found = _each(entry, key, words.tools)
    return frozenset().union(*found) if found else None


def _targets(entry: Entry, key: str, words: Words) -> tuple[Target, ...]:
    found = _each(entry, key, words.targets)
    return tuple(dict.fromkeys(target for targets in found for target in targets))


def _each(entry: Entry, key: str, read: Callable[[str], _Named]) -> list[_Named]:
    """Read word by word. BadInputError names every one that means nothing."""
    mistakes, found = [], []
    for word in several(entry, key, LINE):
        try:
            found.append(read(word))
        except BadWordError as problem:
            mistakes.append(str(entry.wrong(key, problem.why, problem.remedy)))
    refuse(mistakes)
    return found


def _verdict(entry: Entry, key: str) -> Verdict | None:
    remedy = f"write one of {', '.join(_VERDICTS)}"
    word = entry.optional(key, Shape(LINE.pattern, remedy))
    if word is None:
        return None
    if word not in _VERDICTS:
        raise entry.wrong(key, f"{word!a} is unknown", remedy)
    return _VERDICTS[word]


def _or(entry: Entry, key: str, choices: type[_Choice], default: _Choice) -> _Choice:
    return entry.choice(key, choices) if key in entry.table else default


def _exception(entry: Entry, ids: set[str]) -> tuple[str, RuleException]:
    """Read an exception, and the id of the rule that it is of."""
    found = Mistakes()
    found.read(None, entry.only, "rule", *WHO, "ticket", "reason", "expires")
    rule = found.read("", _rule_of, entry, ids)
    exception = RuleException(
        condition=found.read(Condition(), _somebody, entry),
        expires=found.read(_NEVER, entry.moment, "expires"),
        ticket=found.read("", entry.text, "ticket", LINE),
        reason=found.read(None, entry.optional, "reason", LINE),
        place=entry.place,
    )
    found.refuse()
    return rule, exception


def _rule_of(entry: Entry, ids: set[str]) -> str:
    rule = entry.text("rule", SLUG)
    if rule not in ids:
        remedy = guess(rule, ids, "write the id of a rule")
        raise entry.wrong("rule", f"there is no rule {rule!a}", remedy)
    return rule


def _somebody(entry: Entry) -> Condition:
    found = condition(entry, None)
    if found == Condition():
        raise entry.wrong("users", "is missing", f"write one of {', '.join(WHO)} at least")
    return found


def _resolvers(entry: Entry) -> frozenset[Address]:
    return frozenset(_resolver(entry, text) for text in entry.texts("resolvers", LINE))


def _resolver(entry: Entry, text: str) -> Address:
    remedy = 'write it like "192.0.2.53"'
    if "%" in text:
        raise entry.wrong("resolvers", f"{text!a} has a zone", remedy)
    try:
        return ip_address(text)
    except ValueError as error:
        raise entry.wrong("resolvers", str(error), remedy) from error


def _refuse_twins(rules: list[tuple[Entry, Rule]]) -> None:
    first: dict[str, Rule] = {}
    for entry, rule in rules:
        if first.setdefault(rule.id, rule) is not rule:
            raise entry.wrong("id", f"{rule.id!a} is taken by {first[rule.id].place}", "rename one")
