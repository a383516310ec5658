# SPDX-License-Identifier: Apache-2.0
"""What was not there is listed with what it would have counted."""

from __future__ import annotations

from dataclasses import replace

from support.made_up import CATALOGUE

from sensor.core.absent import Absent, absent
from sensor.core.event import Evidence

CLAUDE = replace(
    CATALOGUE.tools[0], packages=("npm:a", "npm:b"), settings=("SET",), state=("~/.claude",)
)
THERE = (Evidence("name", "claude"), Evidence("package", "npm:a"))
PATH = Absent("path", "@anthropic-ai/claude-code", 0.95)


def test_marks_that_were_not_there_are_absent() -> None:
    """What takes a look is not absent where nobody looked."""
    assert list(absent(CLAUDE, THERE, looked=False)) == [PATH]


def test_after_a_look_all_else_is_absent_too() -> None:
    """Each package, setting and path of the tool's that was not found."""
    assert list(absent(CLAUDE, THERE, looked=True)) == [
        PATH,
        Absent("package", "npm:b", 0.95),
        Absent("setting", "SET", 0.2),
        Absent("state", "~/.claude", 0.2),
    ]


def test_of_no_tool_nothing_is_absent() -> None:
    """There is nothing that could speak for it."""
    assert list(absent(None, THERE, looked=True)) == []
