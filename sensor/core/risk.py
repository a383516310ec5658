# SPDX-License-Identifier: Apache-2.0
"""Risk: what makes a run of a tool a dangerous one. It says nothing about what the tool is.

Of variables only the names are looked at; a value never gets here.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from sensor.core.event import Evidence
from sensor.core.words import Risk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sensor.core.tools import Tool


PROXIES = (
    "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy",
)  # fmt: skip
"""Variables by which programs are sent through a proxy, as curl(1) and most clients read them."""


def risks(tool: Tool, argv: Sequence[str], variables: Collection[str]) -> tuple[Evidence, ...]:
    """Give what is dangerous about a run, each with the option or variable that says so."""
    return tuple(_risks(tool, argv, variables))


def words_of(evidence: Collection[Evidence]) -> frozenset[str]:
    """Give the words for it, each once."""
    return frozenset(one.signal for one in evidence)


def _risks(tool: Tool, argv: Sequence[str], variables: Collection[str]) -> Iterator[Evidence]:
    given = _given(argv)
    for risk, switches in (
        (Risk.UNGUARDED, tool.unsafe),
        (Risk.REDIRECTED, tool.overrides),
        (Risk.PROXIED, PROXIES),
    ):
        for switch in switches:
            if switch in (given if switch.startswith("-") else variables):
                yield Evidence(risk.value, switch)


def _given(argv: Sequence[str]) -> frozenset[str]:
    """Give the options in argv, alone and with their values; what follows ``--`` is none."""
    words = list(argv[1:])
    if "--" in words:
        words = words[: words.index("--")]
    options = set()
    for word, following in pairwise((*words, "")):
        if not word.startswith("-"):
            continue
        name, joined, value = word.partition("=")
        options |= {name, f"{name} {value if joined else following}"}
    return frozenset(options)
