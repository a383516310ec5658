# SPDX-License-Identifier: Apache-2.0
"""The walk takes the steps that the README tells, and no others."""

from __future__ import annotations

import re

import pytest

from vm.guest import CHECKOUT
from vm.walk import STEPS, commands

README = (CHECKOUT / "README.md").read_text("utf-8")


def test_the_walk_takes_the_steps_of_the_readme() -> None:
    """Each, as it stands there and in the same order."""
    assert [step.command for step in STEPS] == commands(README)


def test_remarks_are_not_typed() -> None:
    """Other sections neither."""
    text = "## In a VM\n\nSay:\n\n    up '#1'   # that\n    down\n\n## Else\n\n    stop\n"
    assert commands(text) == ["up '#1'", "down"]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.command)
def test_no_echo_of_a_command_passes_for_what_it_shows(step: object) -> None:
    """A terminal shows what is typed into it, at the end of a prompt."""
    assert isinstance(step, type(STEPS[0]))
    echo = f"demo@build-host:~$ {step.command}\n{step.command}\n"
    assert not [sought for sought in step.shows if re.search(sought, echo, re.MULTILINE)]
