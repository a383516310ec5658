# SPDX-License-Identifier: Apache-2.0
"""A terminal types and reads: a real shell is in it."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from vm import terminal
from vm.terminal import Terminal, TerminalError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Terminal]:
    """Give a shell that asks for a command."""
    with closing(Terminal(tmp_path / "log", tmp_path, os.environ)) as opened:
        opened.prompts()
        yield opened


def test_what_a_command_shows_is_found(shell: Terminal) -> None:
    """Whole lines of it, beside the command's echo, also when it was in colour."""
    shell.type("printf '\\033[31m%s\\033[0m\\n' red; pwd")
    shell.shows(r"^red$")
    shell.prompts()


def test_what_others_write_after_the_command_is_found(shell: Terminal) -> None:
    """As a notice of the sensor's is."""
    shell.type("(sleep 0.1; echo late) &")
    shell.prompts()
    shell.shows(r"late$")


def test_what_does_not_come_is_an_error_that_shows_what_came(
    shell: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A while after the command has ended; what came before the command does not count."""
    monkeypatch.setattr(terminal, "LATE_S", 0.2)
    shell.type("echo this")
    shell.prompts()
    shell.type("echo that")
    with pytest.raises(TerminalError, match=r"waited for '\^this', and saw:\n(.|\n)*that"):
        shell.shows(r"^this")


def test_the_log_has_all_of_it(tmp_path: Path) -> None:
    """What was typed too, without what terminals alone understand."""
    log = tmp_path / "log"
    with closing(Terminal(log, tmp_path, os.environ)) as opened:
        opened.prompts()
        opened.type("echo $((6 * 7))")
        opened.shows(r"^42")
        opened.prompts()
    assert log.read_text().splitlines()[:2] == ["here$ echo $((6 * 7))", "42"]


def test_a_shell_that_has_gone_prompts_no_more(shell: Terminal) -> None:
    """It is no wait until the end of time."""
    shell.type("exit")
    with pytest.raises(TerminalError, match="waited for a prompt"):
        shell.prompts()
