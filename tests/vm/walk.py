# SPDX-License-Identifier: Apache-2.0
"""The README's walk through a guest, typed into two terminals, and what has to be on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vm.terminal import LATE_S, WITHIN_S, TerminalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vm.terminal import Terminal
SECTION = "## In a VM\n"
# Between a command and what the README says of it.
REMARK = re.compile(r"\s{2,}# ")
TAIL = "vagrant ssh -c 'agent-sensor tail'"


@dataclass(frozen=True, slots=True)
class Step:
    """A command, what it shows, and what the other terminal's tail shows because of it."""

    command: str
    shows: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()


RUN = "./claude -c 'echo it runs'"
STEPS = (
    Step("vagrant up", shows=(r"it is from the next boot on", r"wrote /etc/systemd/system/agent-")),
    Step(TAIL),
    Step("vagrant ssh"),
    Step("agent-sensor status", shows=(r"^fine", r"^mode +shadow")),
    Step("sudo -iu demo"),
    Step("cp /bin/bash claude"),
    Step(
        RUN,
        shows=(r"^it runs",),
        tail=(
            r"claude-code +session +started",
            r"exec +WOULD BLOCK by no-claude-code: demo .*it runs",
        ),
    ),
    Step("agent-sensor sessions", shows=(r"claude-code.*demo",)),
    Step("exit"),
    Step("sudo sed -i s/shadow/enforce/ /etc/agent-sensor/policy.toml"),
    Step("sudo agent-sensor policy reload"),
    Step("agent-sensor status", shows=(r"^fine", r"exec lsm", r"enforcing \(proved")),
    Step("sudo -iu demo"),
    Step(
        RUN,
        shows=(r"claude: Operation not permitted", r"agent-sensor: Claude Code is not approved"),
        tail=(r"exec +BLOCKED \(lsm\) by no-claude-code: demo .*claude",),
    ),
    Step("exit"),
    Step("exit"),
    Step("vagrant destroy -f", shows=(r"Removing domain",)),
)


def commands(readme: str) -> list[str]:
    """List what the README's section tells to type, in order."""
    section = readme[readme.index(SECTION) + len(SECTION) :].split("\n## ", maxsplit=1)[0]
    shown = [line.strip() for line in section.splitlines() if line.startswith("    ")]
    return [REMARK.split(line)[0] for line in shown if line]


def walk(first: Terminal, second: Terminal) -> Iterator[tuple[Step, list[str]]]:
    """Take all steps, and give after each what was not shown. The first terminal is the tail's.

    Raises:
        TerminalError: A shell asks for nothing any more, so that nothing more can be typed.

    """
    for step in STEPS:
        screen = first if step.command == TAIL else second
        screen.type(step.command)
        missing = list(_missing(screen, step.shows, within_s=WITHIN_S))
        if screen is second:
            screen.prompts()
        missing += _missing(first, step.tail, within_s=LATE_S)
        yield step, missing


def _missing(screen: Terminal, sought: tuple[str, ...], *, within_s: float) -> Iterator[str]:
    for pattern in sought:
        try:
            screen.shows(pattern, within_s=within_s)
        except TerminalError as error:
            yield str(error)
