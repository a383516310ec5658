# SPDX-License-Identifier: Apache-2.0
"""How long connects and executions take that a policy lets go, and that it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.seeds import compressed

from bench.policed import (
    BY_NAME,
    FINE_ADDRESS,
    NAMED_ADDRESS,
    NOTHING,
    REFUSED_ADDRESS,
    policed,
    said,
)
from bench.table import Table, percentile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.policing import Policing

    from bench.workshop import Argument, Workshop

_TYPE_A = 1
_REMARK = (
    "Wall clock of connect(2) over TCP to a loopback in a network of its own, and of posix_spawn"
    " and wait; rounds with one policy and the other in turn, all rounds together. The policy has a"
    " rule about a tool, and one about names and an address; its packet programs are attached then."
)


def measure(shop: Workshop) -> Table:
    """Time each kind of attempt in rounds, with a policy of no rules and with one by name."""
    took: dict[str, list[int]] = {}
    with policed(NOTHING) as police:
        for _ in range(shop.times(5, 2)):
            for policy, attempts in _rounds(shop).items():
                police.keep(policy)
                for what, (argv, is_refused) in attempts.items():
                    took.setdefault(what, []).extend(_round(police, argv, is_refused=is_refused))
        police.keep(BY_NAME)
        # Its exit code tells of what was lost, as is expected here.
        status = json.loads(police.daemon.command("status", "--json").stdout)
        ways: dict[str, str] = status["enforcement"]
    return Table(
        "Latency of what policy judges",
        ("what", "refused by", "count", "p50 us", "p90", "p99", "greatest"),
        tuple(_row(what, values, ways) for what, values in took.items()),
        (_REMARK,),
    )


_Attempts = dict[str, tuple[list["Argument"], bool]]


def _rounds(shop: Workshop) -> dict[str, _Attempts]:
    times, plain = shop.driver("times"), shop.driver("nothing")
    tool = shop.driver("nothing", "claude")
    answer = shop.folder / "answer"
    answer.write_bytes(
        compressed("api.blocked.example", (_TYPE_A, bytes(map(int, NAMED_ADDRESS.split(".")))))
    )
    connect: list[Argument] = [times, str(shop.times(2000, 500)), "connect"]
    spawn: list[Argument] = [times, str(shop.times(200, 50)), "spawn"]
    return {
        NOTHING: {
            "connect, no rules": ([*connect, FINE_ADDRESS], False),
            "exec, no rules": ([*spawn, plain], False),
        },
        BY_NAME: {
            "connect that concerns nobody": ([*connect, FINE_ADDRESS], False),
            "exec that concerns nobody": ([*spawn, plain], False),
            "connect, refused by address": ([*connect, REFUSED_ADDRESS], True),
            "connect, refused by name": ([*connect, NAMED_ADDRESS, answer], True),
            "exec, refused": ([*spawn, tool], True),
        },
    }


def _round(police: Policing, argv: Sequence[Argument], *, is_refused: bool) -> list[int]:
    refused, *took = said(police, argv)
    assert refused == (len(took) if is_refused else 0), f"{argv}: {refused} refused"
    return took


def _row(what: str, took: Sequence[int], ways: dict[str, str]) -> tuple[str, ...]:
    way = ways["exec" if what.startswith("exec") else "connect"] if "refused" in what else ""
    figures = (*(percentile(took, share) for share in (0.5, 0.9, 0.99)), max(took))
    return (what, way, str(len(took)), *(f"{figure / 1000:.1f}" for figure in figures))
