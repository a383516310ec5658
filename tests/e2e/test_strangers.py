# SPDX-License-Identifier: Apache-2.0
"""Real programs that bear the names of AI tools are not taken for them; the tools still are.

`codex` of npm is a generator of static sites, older than the agent; the others
have as little to do with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import tools
from support.lab import Lab
from support.scope import Scope
from support.tools import STRANGERS, Package, installed
from support.watching import Watching

if TYPE_CHECKING:
    from support.watching import Event

pytestmark = pytest.mark.e2e

PATIENCE_S = 60


def told(command: object, *arguments: str) -> list[Event]:
    """Run a program, then a tool that is known at once, and give all that was told by then."""
    env = {"PATH": f"{installed(tools.NODE).parent}:/usr/bin:/bin"}
    qwen = installed(tools.QWEN_CODE)
    with Lab() as lab, Scope() as scope, Watching(scope) as watching:
        lab.run([str(command), *arguments], scope=scope, env=env, timeout_s=PATIENCE_S)
        lab.run([qwen, "--version"], scope=scope, env=env, timeout_s=PATIENCE_S)
        watching.until(
            lambda events: any(
                one["kind"] == "session_end" and one["tool"] == "qwen-code" for one in events
            )
        )
    return watching.events()


@pytest.mark.parametrize("package", STRANGERS, ids=lambda one: one.name)
def test_a_stranger_of_a_tool_s_name_is_none(package: Package) -> None:
    """By the manifest that owns the program; what comes after it is told."""
    events = told(installed(package), "--help")
    assert {event["tool"] for event in events} == {"qwen-code"}


def test_a_tool_is_told_with_its_package_and_what_is_dangerous() -> None:
    """Whatever its link is called."""
    events = told(installed(tools.QWEN_CODE), "--yolo", "--version")
    start = events[0]
    assert (start["kind"], start["tool"], start["looked"]) == ("session_start", "qwen-code", True)
    assert start["process"]["package"] == "npm:@qwen-code/qwen-code"
    assert {"signal": "unguarded", "value": "--yolo"} in start["risk"]
