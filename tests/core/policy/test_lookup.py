# SPDX-License-Identifier: Apache-2.0
"""The kernel's tables say what the policy says: of every policy, about every attempt."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.policies import (
    ACCOUNTS,
    BOOT_NS,
    CATALOGUE,
    EARLIER,
    LATER,
    NOW,
    RESOLVER,
    compiled,
)

from sensor.core.facts import Transport
from sensor.core.policy.judge import Execution, Reach, judge
from sensor.core.policy.lookup import Lookup
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
from sensor.core.policy.targets import Words
from sensor.core.words import NameSource, Verdict

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
PORTS = [None, 53, 443, 8443]
CGROUPS = ["/", "/build.slice", "/build.slice/job-1", "/build.slice-2", "/user.slice"]
FOLDERS = ["/opt", "/opt/corp", "/home/alice"]
FILES = ["/opt/corp/bin/some", "/opt/corp", "/opt/corporate/some", "/home/alice/some", "/some"]

targets = st.one_of(
    st.builds(
        Target,
        name=st.sampled_from([name for name in NAMES if name.islower() and name.count(".") < 6]),
        below=st.booleans(),
        port=st.sampled_from(PORTS),
    ),
    st.builds(
        Target, network=st.sampled_from(NETWORKS).map(ip_network), port=st.sampled_from(PORTS)
    ),
    st.builds(Target, port=st.sampled_from(PORTS)),
)
who = st.builds(
    Condition,
    users=st.lists(st.sampled_from(["alice", "bob", "1001", "nobody-here"]), max_size=1).map(tuple),
    groups=st.lists(st.sampled_from(["dev", "empty"]), max_size=1).map(tuple),
    cgroups=st.lists(st.sampled_from(CGROUPS), max_size=2, unique=True).map(tuple),
    container=st.sampled_from([None, None, True, False]),
    paths=st.lists(st.sampled_from(FOLDERS), max_size=2, unique=True).map(tuple),
)
everybody_more = st.one_of(st.just(Condition()), who)
some_tools = st.lists(st.sampled_from(TOOLS), min_size=1, unique=True).map(frozenset)
ends = st.sampled_from([EARLIER, NOW, LATER])
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
        condition = replace(condition, tools=draw(some_tools))
    if not reached and verdict is not Verdict.BLOCK and draw(st.booleans()):
        confined = tuple(draw(st.lists(targets, min_size=1, max_size=3, unique=True)))
    return Rule(
        id="drawn",
        verdict=verdict,
        condition=condition,
        targets=reached,
        egress_only=confined,
        mode=draw(st.sampled_from([None, *Mode])),
        when_full=draw(st.sampled_from(WhenFull)),
        exceptions=tuple(draw(st.lists(exceptions, max_size=2))),
        expires=draw(st.one_of(st.none(), ends)),
    )


policies = st.builds(
    Policy,
    mode=st.sampled_from([Mode.ENFORCE, Mode.ENFORCE, Mode.SHADOW, Mode.OBSERVE]),
    tool=st.sampled_from([Verdict.ALLOW, Verdict.ALERT, Verdict.BLOCK]),
    unknown_client=st.sampled_from([Verdict.ALLOW, Verdict.ALERT, Verdict.BLOCK]),
    rules=st.lists(rules(), max_size=6).map(
        lambda drawn: tuple(replace(rule, id=f"r{n}") for n, rule in enumerate(drawn))
    ),
    services=st.just(Words(CATALOGUE).services()),
)
uids = st.sampled_from([0, 1000, 1001, 1002])
executions = st.builds(
    Execution,
    tool=st.sampled_from(TOOLS),
    uid=uids,
    cgroup=st.sampled_from(CGROUPS),
    in_container=st.booleans(),
    exe=st.sampled_from([None, *FILES]),
)
reaches = st.builds(
    Reach,
    tools=st.lists(st.sampled_from(TOOLS), max_size=4).map(tuple),
    uid=uids,
    cgroup=st.sampled_from(CGROUPS),
    in_container=st.booleans(),
    exe=st.sampled_from([None, *FILES]),
    address=st.sampled_from([None, *map(ip_address, ADDRESSES)]),
    port=st.sampled_from([53, 443, 8443, 80]),
    transport=st.sampled_from([Transport.TCP, Transport.UDP]),
    name=st.sampled_from([None, *NAMES]),
    name_source=st.sampled_from([None, NameSource.DNS, NameSource.SNI, NameSource.PROXY]),
    is_name_trusted=st.booleans(),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(policies, st.lists(st.one_of(executions, reaches), min_size=1, max_size=20))
def test_the_tables_say_what_the_policy_says(
    policy: Policy, attempts: list[Execution | Reach]
) -> None:
    """The verdict, the rule and what it rests on."""
    tables = compiled(policy)
    lookup = Lookup(tables, CATALOGUE)
    host = settled(policy, ACCOUNTS, [RESOLVER])
    for attempt in attempts:
        said, found = judge(host, attempt, NOW), lookup.find(attempt, BOOT_NS)
        verdict = found.verdict.word or Verdict.ALLOW
        assert (
            verdict, tables.rule_id(found.rule), found.confines, found.basis,
        ) == (said.verdict, said.rule_id, said.confines, said.basis)  # fmt: skip
