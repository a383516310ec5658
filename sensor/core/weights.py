# SPDX-License-Identifier: Apache-2.0
"""Weights: how much each signal counts for a tool, and how signals are put together.

docs/identity.md has the table and says how it was calibrated.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from sensor.core.tools import MarkKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sensor.core.event import Evidence
    from sensor.core.tools import Mark, Tool


class Sign(Enum):
    """What a piece of evidence is; the value is the word in the stream."""

    NAME = "name"
    PATH = "path"
    MODULE = "module"
    ORIGIN = "origin"
    CONTENT = "content"
    SCRIPT = "script"
    PACKAGE = "package"
    SETTING = "setting"
    STATE = "state"
    ENDPOINT = "endpoint"
    FOREIGN = "foreign_package"
    MARKER = "marker"
    CGROUP = "cgroup"
    CLIENT = "client"
    EITHER = "either"
    RUNNER = "runner"


NAME_WEIGHT = 0.9
"""A name that only the tool bears; a stranger may still have picked it."""

PATH_WEIGHT = 0.95
"""The tool's package folder: nobody lays that out by chance."""

MODULE_WEIGHT = 0.9
"""A Python module that was asked for by its name."""

WEAK_WEIGHT = 0.3
"""Something that other software bears too: alone not enough, two together just enough."""

CONTENT_WEIGHT = 0.98
"""All texts that only the tool's own program or script holds, found in the file itself."""

ORIGIN_WEIGHT = 0.95
"""The kernel knows the file by where it lies, under whatever path a mount shows it."""

PACKAGE_WEIGHT = 0.95
"""The manifest that the program was installed with names the tool's package."""

CIRCUMSTANCE_WEIGHT = 0.2
"""A variable that only the tool reads, or what it leaves behind: the user has the tool. That
says little about this program, so it does not lift a weak name to the threshold."""

ENDPOINT_WEIGHT = 0.4
"""It reached an AI service: with a weak name enough, alone not."""

FOREIGN_FACTOR = 0.3
"""What is left of a name where the manifest that owns the program is another package's."""

HEARSAY_FACTOR = 0.7
"""What is left of a mark that is known from documentation alone."""

THRESHOLD = 0.5
"""Less confidence than this makes no tool."""

_OF_MARKS = {
    MarkKind.NAME: NAME_WEIGHT,
    MarkKind.PATH: PATH_WEIGHT,
    MarkKind.MODULE: MODULE_WEIGHT,
    MarkKind.CONTENT: CONTENT_WEIGHT,
    MarkKind.SCRIPT: CONTENT_WEIGHT,
}
_OF_LOOKS = {
    Sign.ORIGIN: ORIGIN_WEIGHT,
    Sign.PACKAGE: PACKAGE_WEIGHT,
    Sign.SETTING: CIRCUMSTANCE_WEIGHT,
    Sign.STATE: CIRCUMSTANCE_WEIGHT,
    Sign.ENDPOINT: ENDPOINT_WEIGHT,
    Sign.FOREIGN: 0.0,
    Sign.MARKER: 0.0,
    Sign.CGROUP: 0.0,
    Sign.CLIENT: 0.0,
    Sign.EITHER: 0.0,
    Sign.RUNNER: 0.0,
}
_CHOSEN = frozenset({MarkKind.NAME, MarkKind.MODULE})
"""What anybody may pick for a program of theirs."""


def weight_of(mark: Mark, *, hearsay: bool = False, foreign: bool = False) -> float:
    """Say how much a mark counts for its tool; ``foreign`` where a package owns it that is not."""
    weight = WEAK_WEIGHT if mark.weak else _OF_MARKS[mark.kind]
    if hearsay and not mark.weak:
        weight *= HEARSAY_FACTOR
    if foreign and mark.kind in _CHOSEN:
        weight *= FOREIGN_FACTOR
    return round(weight, 4)


def weight_of_sign(sign: Sign) -> float:
    """Say how much something counts that a look showed."""
    return _OF_LOOKS[sign]


def confidence_of(weights: Iterable[float]) -> float:
    """Combine reasons that are independent: each leaves so much less of the doubt."""
    doubt = 1.0
    for weight in weights:
        doubt *= 1.0 - weight
    return round(1.0 - doubt, 4)


def weigh(evidence: Sequence[Evidence], tool: Tool | None) -> list[float | None]:
    """Give each piece the weight that it has for a tool; None where it is not known to have any."""
    marks = {(mark.kind.value, mark.value): mark for mark in tool.signs} if tool else {}
    foreign = any(one.signal == Sign.FOREIGN.value for one in evidence)
    hearsay = bool(tool and tool.is_hearsay)
    weights: list[float | None] = []
    for one in evidence:
        if mark := marks.get((one.signal, one.value)):
            weights.append(weight_of(mark, hearsay=hearsay, foreign=foreign))
        elif tool and one.signal in _LOOKS:
            weights.append(_OF_LOOKS[Sign(one.signal)])
        else:
            weights.append(None)
    return weights


_LOOKS = frozenset(sign.value for sign in _OF_LOOKS)

__all__ = [
    "CIRCUMSTANCE_WEIGHT", "CONTENT_WEIGHT", "ENDPOINT_WEIGHT", "FOREIGN_FACTOR", "HEARSAY_FACTOR",
    "MODULE_WEIGHT", "NAME_WEIGHT", "ORIGIN_WEIGHT", "PACKAGE_WEIGHT", "PATH_WEIGHT",
    "THRESHOLD", "WEAK_WEIGHT", "Sign", "confidence_of", "weigh", "weight_of", "weight_of_sign",
]  # fmt: skip
