# SPDX-License-Identifier: Apache-2.0
"""Absent: what would have spoken for a tool and was not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.weights import Sign, weight_of, weight_of_sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.event import Evidence
    from sensor.core.tools import Tool

SAID = {
    Sign.FOREIGN.value: "owns the program: its name counts for less",
    **dict.fromkeys(
        (Sign.MARKER.value, Sign.CLIENT.value, Sign.CGROUP.value),
        "says who started it, not what it is",
    ),
    Sign.EITHER.value: "may have started it, as others may have",
}
"""What to say of evidence that has no weight of its own."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A signal of the tool that was not there, and what it would have counted."""

    signal: str
    value: str
    weight: float


def absent(tool: Tool | None, evidence: tuple[Evidence, ...], *, looked: bool) -> Iterator[Absent]:
    """Give what else speaks for a tool; what takes a look only where there was one."""
    if tool is None:
        return
    there = {(one.signal, one.value) for one in evidence}
    for mark in tool.signs:
        if (mark.kind.value, mark.value) not in there:
            weight = weight_of(mark, hearsay=tool.is_hearsay)
            yield Absent(mark.kind.value, mark.value, weight)
    if not looked:
        return
    for sign, values in (
        (Sign.PACKAGE, tool.packages), (Sign.SETTING, tool.settings), (Sign.STATE, tool.state),
    ):  # fmt: skip
        for value in values:
            if (sign.value, value) not in there:
                yield Absent(sign.value, value, weight_of_sign(sign))
