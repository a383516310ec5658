# SPDX-License-Identifier: Apache-2.0
"""The kernel's tables say what the policy says: of every policy, about every attempt."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.attempts import ALLOW, BLOCK, RUNNING, rule, runs, to
from support.policies import (
    ACCOUNTS,
    BOOT_NS,
    CATALOGUE,
    EARLIER,
    LATER,
    NOW,
    RESOLVER,
    compiled,
    read,
)
from support.rulings import CASES
from support.structs import checked

from sensor.core.facts import Transport
from sensor.core.policy.judge import Execution, Reach, judge
from sensor.core.policy.lookup import CHAIN, Found, Lookup
from sensor.core.policy.model import (
    Condition,
    Mode,
    Policy,
    Rule,
    RuleException,
    Target,
    WhenFull,
    settled,
)
from sensor.core.policy.rows import RULE_CANARY, Span, TableVerdict
from sensor.core.policy.targets import Words
from sensor.core.words import UNKNOWN_CLIENT, NameSource, Verdict

if TYPE_CHECKING:
    from pathlib import Path

ATTEMPTS = 400
"""Of each policy that is drawn."""

TOOLS = [tool.id for tool in CATALOGUE.tools]
NAMES = [
    "some.example", "api.some.example", "x.api.some.example", "chat.example", "example",
    "deep.a.b.c.chat.example", "deeper.and.deep.a.b.c.chat.example", "Chat.Example.", "llm.corp",
    "a.llm.corp", "elsewhere.test",
]  # fmt: skip
ADDRESSES = [
    "192.0.2.7", "192.0.2.200", "192.0.2.53", "198.51.100.1", "2001:db8:1::1", "2001:db8:2::1",
    "::ffff:192.0.2.7",
]  # fmt: skip
NETWORKS = [
    "192.0.2.0/24", "192.0.2.0/25", "192.0.2.7/32", "0.0.0.0/0", "2001:db8::/32", "::/0",
    "2001:db8:1::1/128", "::/64",
]  # fmt: skip
PORTS = [None, None, 53, 443, 8443]
CGROUPS = ["/", "/build.slice", "/build.slice/job-1", "/build.slice-2", "/user.slice"]
FOLDERS = ["/opt", "/opt/corp", "/home/alice"]
FILES = ["/opt/corp/bin/some", "/opt/corp", "/opt/corporate/some", "/home/alice/some", "/some"]

named = st.builds(
    Target,
    name=st.sampled_from([name for name in NAMES if name.islower() and name.count(".") < 6]),
    below=st.booleans(),
    port=st.sampled_from(PORTS),
)
ranged = st.builds(
    Target, network=st.sampled_from(NETWORKS).map(ip_network), port=st.sampled_from(PORTS)
)
targets = st.one_of(named, named, ranged, st.builds(Target, port=st.sampled_from(PORTS)))
who = st.one_of(
    st.just(Condition(users=("alice",))),
    st.sampled_from(["alice", "bob", "1001", "nobody-here"]).map(
        lambda user: Condition(users=(user,))
    ),
    st.sampled_from(["dev", "empty"]).map(lambda group: Condition(groups=(group,))),
    st.lists(st.sampled_from(CGROUPS), min_size=1, max_size=2, unique=True).map(
        lambda cgroups: Condition(cgroups=tuple(cgroups))
    ),
    st.booleans().map(lambda inside: Condition(container=inside)),
    st.lists(st.sampled_from(FOLDERS), min_size=1, max_size=2, unique=True).map(
        lambda paths: Condition(paths=tuple(paths))
    ),
    st.builds(
        Condition,
        users=st.just(("alice",)),
        cgroups=st.just(("/build.slice",)),
        container=st.sampled_from([None, True, False]),
        paths=st.sampled_from([(), ("/opt",)]),
    ),
)
everybody_more = st.one_of(st.just(Condition()), st.just(Condition()), who)
some_tools = st.lists(st.sampled_from(TOOLS), min_size=1, unique=True).map(frozenset)
ends = st.sampled_from([EARLIER, NOW, LATER, LATER])
exceptions = st.builds(
    RuleException, condition=who, expires=ends, ticket=st.just("T"), place=st.just("p.toml:1")
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Draw a rule that the text could have, or a runtime block."""
    condition = draw(everybody_more)
    reached = tuple(draw(st.lists(targets, max_size=3, unique=True)))
    confined = None
    verdict = draw(st.sampled_from([Verdict.ALLOW, Verdict.ALERT, Verdict.BLOCK]))
    if not reached or draw(st.booleans()):
        with_strangers: bool = draw(st.booleans())
        strangers = frozenset({UNKNOWN_CLIENT} if reached and with_strangers else ())
        condition = replace(condition, tools=draw(some_tools) | strangers)
    if not reached and verdict is not Verdict.BLOCK and draw(st.booleans()):
        confined = tuple(draw(st.lists(targets, min_size=1, max_size=3, unique=True)))
    return Rule(
        id="drawn",
        verdict=verdict,
        condition=condition,
        targets=reached,
        egress_only=confined,
        mode=draw(st.sampled_from([None, None, None, *Mode])),
        when_full=draw(st.sampled_from(WhenFull)),
        exceptions=tuple(draw(st.lists(exceptions, max_size=2))),
        expires=draw(st.one_of(st.none(), ends)),
    )


policies = st.builds(
    Policy,
    mode=st.sampled_from([Mode.ENFORCE, Mode.ENFORCE, Mode.ENFORCE, Mode.SHADOW, Mode.OBSERVE]),
    tool=st.sampled_from([Verdict.ALLOW, Verdict.ALERT, Verdict.BLOCK]),
    unknown_client=st.sampled_from([Verdict.ALLOW, Verdict.ALERT, Verdict.BLOCK]),
    rules=st.lists(rules(), min_size=2, max_size=7).map(
        lambda drawn: tuple(replace(rule, id=f"r{n}") for n, rule in enumerate(drawn))
    ),
    services=st.just(Words(CATALOGUE).services()),
)


def attempts() -> list[Execution | Reach]:
    """Give as many different attempts as there is time for, always the same ones."""
    choose = Random(2027)  # noqa: S311  # a choice of tests, no secret
    found: list[Execution | Reach] = []
    for _ in range(ATTEMPTS):
        uid = choose.choice([1000, 1000, 0, 1001, 1002])
        cgroup, inside = choose.choice(CGROUPS), choose.random() < 0.5
        exe = choose.choice([None, *FILES])
        if choose.random() < 0.2:
            tool = choose.choice(TOOLS)
            found.append(Execution(tool=tool, uid=uid, cgroup=cgroup, in_container=inside, exe=exe))
            continue
        found.append(
            Reach(
                tools=tuple(choose.choices(TOOLS, k=choose.choice([0, 1, 1, 1, 2, 4]))),
                uid=uid,
                cgroup=cgroup,
                in_container=inside,
                exe=exe,
                address=choose.choice([None, *map(ip_address, ADDRESSES)]),
                port=choose.choice([53, 443, 443, 8443, 80]),
                transport=choose.choice([Transport.TCP, Transport.UDP]),
                name=choose.choice([None, *NAMES]),
                name_source=choose.choice(
                    [NameSource.DNS, NameSource.DNS, NameSource.SNI, NameSource.PROXY, None]
                ),
                is_name_trusted=choose.random() < 0.5,
            )
        )
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies)
def test_the_tables_say_what_the_policy_says(policy: Policy) -> None:
    """The verdict, the rule and what it rests on."""
    tables = compiled(policy)
    lookup = Lookup(tables, CATALOGUE)
    host = settled(policy, ACCOUNTS, [RESOLVER])
    for attempt in attempts():
        said, found = judge(host, attempt, NOW), lookup.find(attempt, BOOT_NS)
        verdict = found.verdict.word or Verdict.ALLOW
        assert (
            verdict, tables.rule_id(found.rule), found.confines, found.basis, attempt,
        ) == (said.verdict, said.rule_id, said.confines, said.basis, attempt)  # fmt: skip


@pytest.mark.parametrize(("body", "mode", "attempt", "verdict", "by"), CASES)
def test_the_kernel_says(
    body: str, mode: str, attempt: Execution | Reach, verdict: str, by: str
) -> None:
    """The same table as of the policy itself."""
    tables = compiled(read(body, mode))
    found = Lookup(tables, CATALOGUE).find(attempt, BOOT_NS)
    word = found.verdict.word or Verdict.ALLOW
    assert (word.value, tables.rule_id(found.rule)) == (verdict, by)


def test_a_canary_dies_in_its_own_cgroup() -> None:
    """Its address is refused there and nowhere else, whatever policy says of it."""
    address = ip_address("192.0.2.254")
    body = rule("ok", 'endpoints = ["192.0.2.0/24"]', ALLOW)
    tables = compiled(read(body), canary=address)
    lookup = Lookup(tables, CATALOGUE, canary="/sensor/canary")
    found = lookup.find(to("192.0.2.254:443", cgroup="/sensor/canary"), BOOT_NS)
    assert (found.verdict, found.rule) == (TableVerdict.BLOCK, RULE_CANARY)
    assert lookup.find(to("192.0.2.254:443"), BOOT_NS).rule == 0
    assert lookup.find(to("192.0.2.1:443", cgroup="/sensor/canary"), BOOT_NS).rule == 0
    assert tables.entries[tables.tools[-1].exec.start].rule == RULE_CANARY
    assert len(tables.tools) == len(CATALOGUE.tools) + 2


def test_a_tool_without_entries_has_no_verdict() -> None:
    """As before there was a policy."""
    tables = compiled(read(""))
    bare = replace(tables, tools=tuple(replace(one, exec=Span()) for one in tables.tools))
    assert Lookup(bare, CATALOGUE).find(runs(), BOOT_NS) == Found()


def test_what_follows_the_fourth_tool_does_not_count() -> None:
    """The kernel keeps no more."""
    chain = ("other-cli", "some-ide", "other-cli", "some-ide", "some-cli")
    reach = to("198.51.100.1:443", *chain)
    assert Lookup(compiled(read(RUNNING)), CATALOGUE).find(reach, BOOT_NS) == Found()


def test_a_chain_is_as_long_as_in_the_kernel(tmp_path: Path) -> None:
    """The compiler agrees."""
    checked("events.h", f"CHAIN == {CHAIN}", tmp_path)


def test_a_list_is_read_to_its_end() -> None:
    """All 32 of it, each for another user; then there is none."""
    body = "".join(
        rule(f"r{uid}", 'endpoints = ["x.test"]', BLOCK, f'users = ["{uid}"]') for uid in range(32)
    )
    lookup = Lookup(compiled(read(body)), CATALOGUE)
    assert lookup.find(to("198.51.100.1:80", name="x.test", uid=31), BOOT_NS).rule == 31
    assert lookup.find(to("198.51.100.1:80", name="x.test", uid=32), BOOT_NS) == Found()
