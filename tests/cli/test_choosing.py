# SPDX-License-Identifier: Apache-2.0
"""What a reader asks for that cannot be there is said, for it looks like "nobody did it"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support.recorded import framed, recorded
from support.serving import Serving

from sensor.cli import cli
from sensor.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALL = ("--since", "0")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with a daemon's hub that has the events of one morning."""
    folder = tmp_path_factory.mktemp("live")
    with Serving(folder, framed(recorded())):
        yield folder


def run(folder: Path, *arguments: str) -> Result:
    """Run a command on what is in a folder."""
    places = ["--run-dir", str(folder), "--state-dir", str(folder)]
    return CliRunner().invoke(cli, [*arguments, *places], prog_name="agent-sensor")


def test_a_name_that_the_catalogue_lacks_is_said(live: Path) -> None:
    """With the one that was probably meant; it is no error, for a tool may have left it."""
    for option, typed, meant in (
        ("--tool", "claude", "claude-code"),
        ("--vendor", "antropic", "anthropic"),
    ):
        found = run(live, "sessions", *ALL, option, typed)
        assert (found.exit_code, found.stdout) == (ExitCode.OK, "")
        said, nothing = found.stderr.splitlines()
        assert said.startswith(
            f"{option} {typed}: this host's catalogue has no such {option[2:]};"
            f" did you mean '{meant}'? "
        )
        assert nothing == "no session matches"
    assert "'anthropic'" in run(live, "query", *ALL, "--endpoint", "anthropics").stderr
    assert "'claude-code'" in run(live, "tail", "--no-follow", "--tool", "claude").stderr
    assert run(live, "query", *ALL, "--tool", "unknown-client").stderr == "no event matches\n"


@pytest.mark.parametrize(
    "command", [("query", *ALL), ("query", *ALL, "--by", "tool"), ("tail", "--no-follow")]
)
@pytest.mark.parametrize("option", ["--user", "--session", "--rule"])
def test_that_nothing_was_found_is_said(live: Path, command: tuple[str, ...], option: str) -> None:
    """Of what was asked for; stdout stays empty, for programs."""
    found = run(live, *command, option, "nope")
    assert (found.stdout, found.stderr) == ("", "no event matches\n")
    assert run(live, *command, "--json", option, "nope").stdout == ""


def test_a_time_in_which_nothing_was_is_said_to_be_one(live: Path) -> None:
    """Where nobody asked for something that could be mistyped."""
    assert run(live, "query", "--since", "1h", "--until", "1m").stderr == "no event in that time\n"
    assert run(live, "sessions", *ALL, "--running").stderr == "no running session in that time\n"
