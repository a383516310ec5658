# SPDX-License-Identifier: Apache-2.0
"""How long it takes until a large policy is in force."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.policed import NOTHING, policed
from bench.table import Table, spread
from sensor.core.policy import text
from sensor.core.policy.tables import compile_tables
from sensor.daemon.policies import accounts_of
from sensor.daemon.sensing import catalogue

if TYPE_CHECKING:
    from bench.workshop import Workshop

RULES = 10_000
_REMARK = (
    "{} rules, each of a name of its own. Parse and compile are timed in a process that does"
    " nothing else; the reload is the whole command, until the daemon says that the policy is in"
    " force: it parses, compiles, clears and writes the tables of the bank that is not in force,"
    " turns the banks over, and waits for whoever judges by the old one."
)


def measure(shop: Workshop) -> Table:
    """Parse and compile the policy, and have a daemon put it in force."""
    body = 'mode = "enforce"\n' + "".join(
        f'[[rule]]\nid = "rule-{number}"\nendpoints = ["h{number}.example"]\nverdict = "block"\n'
        for number in range(RULES)
    )
    known, turns = catalogue(), range(shop.times(5, 2))
    parses: list[float] = []
    compiles: list[float] = []
    reloads: list[float] = []
    smalls: list[float] = []
    for _ in turns:
        started = time.perf_counter()
        policy = text.parse(f"version = 1\n{body}", where="policy.toml", catalogue=known)
        parses.append(time.perf_counter() - started)
        started = time.perf_counter()
        compile_tables(
            policy, known, accounts=accounts_of(policy), resolvers=[], wall_offset_ns=0, canary=None
        )
        compiles.append(time.perf_counter() - started)
    with policed(NOTHING) as police:
        for _ in turns:
            for policy_text, took in ((body, reloads), (NOTHING, smalls)):
                started = time.perf_counter()
                police.keep(policy_text)
                took.append(time.perf_counter() - started)
    rows = {
        "parse": parses,
        "compile": compiles,
        "policy reload, until it is in force": reloads,
        "policy reload, back to no rules": smalls,
    }
    return Table(
        "Time until a policy is in force",
        ("what", "median s", "least", "greatest"),
        tuple((what, *spread(values, ".3f")) for what, values in rows.items()),
        (_REMARK.format(RULES),),
    )
