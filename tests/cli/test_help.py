# SPDX-License-Identifier: Apache-2.0
"""What the commands say of themselves; GOLDEN=write in the environment writes the files anew."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sensor.cli import cli

GOLDEN = Path(__file__).parent / "help"
FIRST_LINE = 60
COLUMNS = 80


def paths(group: click.Group, *before: str) -> list[tuple[str, ...]]:
    """List the words that lead to every command that people see."""
    found: list[tuple[str, ...]] = [before]
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        words = (*before, name)
        found += paths(command, *words) if isinstance(command, click.Group) else [words]
    return found


ALL = paths(cli)


def command_of(words: tuple[str, ...]) -> click.Command:
    """Find a command by the words that lead to it."""
    command: click.Command | None = cli
    for word in words:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    assert command
    return command


def helped(words: tuple[str, ...]) -> str:
    """Give what a user reads."""
    result = CliRunner().invoke(
        cli, [*words, "--help"], prog_name="agent-sensor", terminal_width=COLUMNS
    )
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_a_help_text_is_as_it_was_reviewed(words: tuple[str, ...]) -> None:
    """A change shows as a diff of the golden file."""
    file = GOLDEN / f"{'-'.join(('agent-sensor', *words))}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(helped(words), "utf-8")
    assert file.exists(), f"{file} is missing: run the tests once with GOLDEN=write"
    assert helped(words) == file.read_text("utf-8")


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_a_help_text_says_what_it_is_for_and_how(words: tuple[str, ...]) -> None:
    """The first line is short, in lists too, and there are two examples at least."""
    command = command_of(words)
    assert command.help
    assert len(command.help.splitlines()[0]) <= FIRST_LINE
    assert len(command.get_short_help_str(COLUMNS)) <= FIRST_LINE
    _, _, examples = helped(words).partition("Examples:\n")
    assert sum("agent-sensor " in line for line in examples.splitlines()) >= 2


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_help_needs_no_more_than_a_letter(words: tuple[str, ...]) -> None:
    """``-h`` is what people try first."""
    assert CliRunner().invoke(cli, [*words, "-h"]).exit_code == 0


def test_golden_files_are_of_commands_that_exist() -> None:
    """None is left behind by a command that has gone."""
    assert {file.stem for file in GOLDEN.glob("*.txt")} == {
        "-".join(("agent-sensor", *words)) for words in ALL
    }
