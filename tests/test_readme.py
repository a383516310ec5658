# SPDX-License-Identifier: Apache-2.0
"""What the README shows works as it stands there."""

from __future__ import annotations

import shlex
from pathlib import Path
from textwrap import dedent

import click
import pytest

from sensor.cli import cli
from sensor.core.policy.text import parse
from sensor.daemon.catalogues import shipped

README = Path(__file__).parent.parent / "README.md"


def test_the_policy_of_the_readme_is_one() -> None:
    """With the catalogue that comes with the sensor."""
    text = README.read_text("utf-8")
    start = text.index("    version = 1\n    mode =")
    policy = parse(
        dedent(text[start : text.index("    agent-sensor policy check", start)]),
        where="README.md",
        catalogue=shipped(),
    )
    assert [rule.id for rule in policy.rules] == [
        "no-external-agents",
        "approved-stays-inside",
        "no-vendor-traffic",
    ]


def lines() -> list[str]:
    """Give the lines that are to be typed, or read."""
    return [line.strip() for line in README.read_text("utf-8").splitlines() if line[:4] == " " * 4]


def typed() -> list[list[str]]:
    """Give the words of each command of the sensor that is to be typed."""
    words = [shlex.split(line, comments=True) for line in lines() if "agent-sensor " in line]
    starts: list[list[str]] = [[], ["sudo"]]
    found = []
    for line in words:
        at = next((i for i, word in enumerate(line) if Path(word).name == "agent-sensor"), None)
        if at is not None and line[:at] in starts:
            found.append(line[at + 1 :])
    return found


@pytest.mark.parametrize("words", typed(), ids=" ".join)
def test_a_command_of_the_readme_is_one(words: list[str]) -> None:
    """With all its options."""
    command: click.Command = cli
    rest = list(words)
    while isinstance(command, click.Group) and rest:
        inner = command.get_command(click.Context(command), rest[0])
        if inner is None:
            break
        command = inner
        del rest[0]
    assert not isinstance(command, click.Group) or command.invoke_without_command
    # A command keeps the help option of the first context that asks for it.
    context = click.Context(command, **cli.context_settings)
    command.make_parser(context).parse_args(rest)


def test_a_daemon_in_places_of_its_own_is_read_there_and_leaves_nothing() -> None:
    """Where it is started, what reads it names its folders; what was mounted is taken away."""
    text = "\n".join(lines())
    walk = text[text.index("sudo mkdir -p /tmp/as/bpf") : text.index("sudo umount")].splitlines()
    readers = [line for line in walk if "agent-sensor" in line]
    assert len(readers) > 2
    assert all("--run-dir /tmp/as/run" in line or "--state-dir /tmp/as" in line for line in readers)
    assert all(line.split()[1] == ".venv/bin/agent-sensor" for line in readers)
    assert "mount -t bpf bpf /tmp/as/bpf" in walk[0]
    assert "sudo umount /tmp/as/bpf && sudo rm -r /tmp/as" in text


def test_a_policy_is_checked_before_it_is_where_the_daemon_reads_it() -> None:
    """A mistake would keep the next start from beginning."""
    text = README.read_text("utf-8")
    assert text.index("agent-sensor policy check policy.toml") < text.index("sudo install -m 600")
