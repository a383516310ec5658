# SPDX-License-Identifier: Apache-2.0
"""The text of a policy: TOML in, values out. docs/policy.md has every key."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from enum import Enum
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeVar

from sensor.core.audit.trigger import Occasion, On
from sensor.core.entries import LINE, SLUG, Document, Entry, Shape
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
from sensor.core.words import Risk, Verdict
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

COMPONENT_BYTES = 40
"""Of a folder's name; the kernel compares no more (probes/marks.h: MARK_BYTES)."""

CGROUP_DEPTH = 7
"""Levels below the root at which the kernel looks (probes/policy.h: CGROUP_LEVELS)."""

_MESSAGE_LETTERS = 300
_NAME = re.compile(r"[^\s/:,\x00-\x1f\x7f]{1,256}")
_USER = Shape(_NAME, "write the name of a user, or a uid")
_GROUP = Shape(_NAME, "write the name of a group, or a gid")
_MESSAGE = Shape(
    re.compile(rf"[^\x00-\x1f\x7f]{{1,{_MESSAGE_LETTERS}}}"),
    f"write one line of {_MESSAGE_LETTERS} letters at most",
)
_FOLDER = Shape(
    re.compile(r"(/(?!\.{1,2}(/|\Z))[^/\x00-\x1f\x7f*?]+)+/?"),
    'write an absolute path without . and .. and without wildcards, like "/opt/corp/"',
)
_CGROUP = Shape(
    re.compile(rf"/|(/(?!\.{{1,2}}(/|\Z))[^/\x00-\x1f\x7f*?]+){{1,{CGROUP_DEPTH}}}/?"),
    f'write a path from the root of the cgroup2 hierarchy, like "/build.slice", {CGROUP_DEPTH} deep'
    " at most",
)
_RISK = Shape(
    re.compile("|".join(one.value for one in Risk)),
    f"write one of {', '.join(one.value for one in Risk)}",
)
_TAKEN = re.compile(r"default|quic|canary|full|runtime-.*")
_LATEST_UID = (1 << 32) - 2

_WHO = ("users", "groups", "cgroups", "container", "paths")
_RULE = (
    "id", "tools", "endpoints", *_WHO, "risk", "verdict", "mode", "message", "egress_only",
    "running", "when_full",
)  # fmt: skip
_VERDICTS = {one.value: one for one in (Verdict.ALLOW, Verdict.ALERT, Verdict.BLOCK)}


def parse(text: str, *, where: str, catalogue: Catalogue) -> Policy:
    """Read a policy; ``where`` names the file in errors.

    BadInputError names the place, the rule, the key and the remedy.
    """
    document = Document(text, where=where)
    root, words = document.root, Words(catalogue)
    root.only("version", "mode", "defaults", "dns", "rule", "exception")
    root.version(VERSION)
    defaults = root.within("defaults", "tool", "unknown_client", "audit_on", "high_risk")
    dns = root.within("dns", "resolvers")
    rules = [
        (entry, _rule(entry, words)) for entry in document.entries(root, "rule", header="rule")
    ]
    _refuse_twins(rules)
    ids = {rule.id for _, rule in rules}
    exceptions: dict[str, list[RuleException]] = defaultdict(list)
    for entry in document.entries(root, "exception", header="exception"):
        exceptions[_rule_of(entry, ids)].append(_exception(entry))
    return Policy(
        mode=root.choice("mode", Mode),
        tool=_verdict(defaults, "tool") or Verdict.ALERT,
        unknown_client=_verdict(defaults, "unknown_client") or Verdict.ALERT,
        resolvers=frozenset(_resolvers(dns)),
        rules=tuple(
            replace(rule, exceptions=tuple(exceptions[rule.id])) if rule.id in exceptions else rule
            for _, rule in rules
        ),
        services=words.services(),
        audits=_occasion(defaults, words),
    )


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
        condition=_condition(entry, _tools(entry, words)),
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
    entry.only(*_RULE)
    rule_id = entry.text("id", SLUG)
    if _TAKEN.fullmatch(rule_id):
        raise entry.wrong("id", f"{rule_id!a} is taken by the sensor itself", "write another")
    verdict = _verdict(entry, "verdict")
    if verdict is None:
        raise entry.wrong("verdict", "is missing", f"write one of {', '.join(_VERDICTS)}")
    rule = Rule(
        id=rule_id,
        verdict=verdict,
        condition=_condition(entry, _tools(entry, words)),
        targets=_targets(entry, "endpoints", words),
        egress_only=_targets(entry, "egress_only", words) if "egress_only" in entry.table else None,
        mode=entry.choice("mode", Mode) if "mode" in entry.table else None,
        message=entry.optional("message", _MESSAGE),
        running=_or(entry, "running", Running, Running.DISCONNECT),
        when_full=_or(entry, "when_full", WhenFull, WhenFull.OPEN),
        tools=entry.texts("tools", LINE),
        endpoints=entry.texts("endpoints", LINE),
        egress=entry.texts("egress_only", LINE),
        place=entry.place,
    )
    refuse_contradictions(entry, rule)
    return rule


def _condition(entry: Entry, tools: frozenset[str] | None) -> Condition:
    for user in entry.texts("users", _USER):
        if user.isdecimal() and not (user.isascii() and int(user) <= _LATEST_UID):
            raise entry.wrong("users", f"{user!a} is no uid", _USER.remedy)
    for path in entry.texts("paths", _FOLDER):
        if max(len(name.encode()) for name in path.split("/")) > COMPONENT_BYTES:
            raise entry.wrong(
                "paths",
                f"{path!a} has a folder with more than {COMPONENT_BYTES} bytes in its name",
                "write the folder above it",
            )
    return Condition(
        tools=tools,
        users=_several(entry, "users", _USER),
        groups=_several(entry, "groups", _GROUP),
        cgroups=tuple(path.rstrip("/") or "/" for path in _several(entry, "cgroups", _CGROUP)),
        container=entry.flag("container"),
        paths=tuple(path.rstrip("/") for path in _several(entry, "paths", _FOLDER)),
        risk=_several(entry, "risk", _RISK),
    )


def _several(entry: Entry, key: str, shape: Shape) -> tuple[str, ...]:
    """Read a list of words; one that is there and empty would mean nobody, or everybody."""
    words = entry.texts(key, shape)
    if key in entry.table and not words:
        raise entry.wrong(key, "is empty", "write one word at least, or leave it out")
    return tuple(dict.fromkeys(words))


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
    found = [_read(entry, key, word, words.tools) for word in _several(entry, key, LINE)]
    return frozenset().union(*found) if found else None


def _targets(entry: Entry, key: str, words: Words) -> tuple[Target, ...]:
    found = [_read(entry, key, word, words.targets) for word in _several(entry, key, LINE)]
    return tuple(dict.fromkeys(target for targets in found for target in targets))


def _read(entry: Entry, key: str, word: str, read: Callable[[str], _Named]) -> _Named:
    try:
        return read(word)
    except BadWordError as problem:
        raise entry.wrong(key, problem.why, problem.remedy) from problem


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


def _rule_of(entry: Entry, ids: set[str]) -> str:
    entry.only("rule", *_WHO, "ticket", "reason", "expires")
    rule = entry.text("rule", SLUG)
    if rule not in ids:
        raise entry.wrong("rule", f"there is no rule {rule!a}", "write the id of a rule")
    return rule


def _exception(entry: Entry) -> RuleException:
    condition = _condition(entry, None)
    if condition == Condition():
        raise entry.wrong("users", "is missing", f"write one of {', '.join(_WHO)} at least")
    return RuleException(
        condition=condition,
        expires=entry.moment("expires"),
        ticket=entry.text("ticket", LINE),
        reason=entry.optional("reason", LINE),
        place=entry.place,
    )


def _resolvers(entry: Entry) -> Iterable[Address]:
    for text in entry.texts("resolvers", LINE):
        remedy = 'write it like "192.0.2.53"'
        if "%" in text:
            raise entry.wrong("resolvers", f"{text!a} has a zone", remedy)
        try:
            yield ip_address(text)
        except ValueError as error:
            raise entry.wrong("resolvers", str(error), remedy) from error


def _refuse_twins(rules: list[tuple[Entry, Rule]]) -> None:
    first: dict[str, Rule] = {}
    for entry, rule in rules:
        if first.setdefault(rule.id, rule) is not rule:
            raise entry.wrong("id", f"{rule.id!a} is taken by {first[rule.id].place}", "rename one")
