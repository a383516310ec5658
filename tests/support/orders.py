# SPDX-License-Identifier: Apache-2.0
"""Facts in any order, as no host would have them: what the engine has to survive."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from sensor.core.facts import (
    RULE_CANARY,
    RULE_DEFAULT,
    RULE_FULL,
    RULE_QUIC,
    Damaged,
    Fact,
    Health,
    Loss,
    PolicyChanged,
    Process,
    Ruled,
    Standing,
)
from sensor.core.words import Enforcement, NameSource, Verdict
from support.story import (
    CLAUDE,
    CODEX,
    GIT,
    GOOSE,
    at,
    close,
    connect,
    exec_,
    exit_,
    fork,
    hello,
    resolved,
)

# Few processes, so that every fact meets what others left behind.
PIDS = st.integers(1, 6)
TMUX = ("/usr/bin/tmux", "new-window")
ARGV = st.sampled_from([CLAUDE, CODEX, GIT, GOOSE, TMUX])
HOSTS = st.sampled_from(["192.0.2.1", "198.51.100.7", "2001:db8::1"])
COOKIES = st.integers(1, 3)
NAMES = st.sampled_from(["api.anthropic.com", "a.test", "", "\x1b[2J"])
CHAINS = st.none() | st.lists(st.integers(1, 4), max_size=4).map(tuple)
NOBODY = Process(0, 0)

RULINGS = st.none() | st.builds(
    Ruled,
    policy=st.integers(0, 4),
    rule=st.sampled_from([0, 1, 7, RULE_DEFAULT, RULE_QUIC, RULE_CANARY, RULE_FULL]),
    verdict=st.none() | st.sampled_from(Verdict),
    enforcement=st.sampled_from(Enforcement),
)
EXECS = st.builds(
    lambda pid, argv, parent, root, late, tools, unsure, refused, ruled, brokered: replace(
        exec_(
            pid, *argv, parent=at(parent), root=root, late=late, tools=tools, unsure=unsure,
            refused=refused, ruled=ruled, tool=pid,
        ),
        brokered=brokered,
    ),
    PIDS, ARGV, PIDS, PIDS, st.booleans(), CHAINS, st.booleans(), st.booleans(), RULINGS,
    st.booleans(),
)  # fmt: skip
CONNECTS = st.builds(
    lambda pid, to, cookie, late, ruled, image, stray: replace(
        connect(
            pid, to, cookie=cookie, root=pid, late=late, ruled=ruled, domain=pid,
            image=exec_(pid, *GIT, late=True) if image else None,
        ),
        root=NOBODY if stray else at(pid),
    ),
    PIDS, HOSTS, COOKIES, st.booleans(), RULINGS, st.booleans(), st.booleans(),
)  # fmt: skip
HELLOS = st.builds(
    lambda pid, to, name, cookie, source, ruled, nobody: replace(
        hello(pid, to, name, cookie=cookie, source=source, domain=pid, ruled=ruled),
        root=NOBODY if nobody else at(pid),
        process=NOBODY if nobody else at(pid),
    ),
    PIDS, HOSTS, st.none() | NAMES, COOKIES,
    st.sampled_from([None, NameSource.SNI, NameSource.PROXY]), RULINGS, st.booleans(),
)  # fmt: skip
OWN = st.one_of(
    st.builds(Loss, at_ns=st.integers(0), what=st.text(), count=st.integers(1)),
    st.builds(Damaged, at_ns=st.integers(0), why=st.text()),
    st.builds(
        PolicyChanged,
        at_ns=st.integers(0),
        standing=st.sampled_from(Standing),
        generation=st.integers(0, 4),
        why=st.none() | st.text(),
    ),
    st.builds(Health, at_ns=st.integers(0), what=st.text(), is_well=st.booleans()),
)
FACTS: st.SearchStrategy[Fact] = st.one_of(
    EXECS,
    st.builds(
        lambda parent, child, root, tools: fork(parent, child, root=root, tools=tools),
        PIDS, PIDS, PIDS, CHAINS,
    ),
    st.builds(lambda pid, root: exit_(pid, root=root), PIDS, PIDS),
    CONNECTS,
    HELLOS,
    st.builds(close, PIDS, HOSTS, cookie=COOKIES),
    st.builds(resolved, PIDS, st.text(), HOSTS, cut=st.booleans()),
    OWN,
)  # fmt: skip
