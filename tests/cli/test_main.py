# SPDX-License-Identifier: Apache-2.0
"""The command as a shell starts it: codes, streams, and who may read what."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.host import AGENT_SENSOR

from sensor.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

MODULE = (sys.executable, "-m", "sensor")


def run(*argv: str | Path, redirect: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with a redirection of the shell's if wanted."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirect}', "sh", *argv],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("program", [(str(AGENT_SENSOR),), MODULE])
def test_the_module_is_the_command(program: tuple[str, ...]) -> None:
    """Both call themselves by the command's name."""
    said = run(*program, "--help")
    assert said.returncode == ExitCode.OK
    assert said.stdout.startswith("Usage: agent-sensor [OPTIONS]")
    assert run(*program, "--version").stdout.startswith("agent-sensor, version ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("watch", "--nonsense"),
        ("watch", "--for=-1"),
        ("watch", "--for=soon"),
        ("watch", "--color=red"),
        ("watch", "too", "many"),
        ("load", "--scope=/etc/passwd"),
        ("sockets", "x"),
    ],
)
def test_wrong_usage_is_told_on_stderr(arguments: tuple[str, ...]) -> None:
    """Scripts can tell it from a failure."""
    said = run(AGENT_SENSOR, *arguments)
    assert (said.returncode, said.stdout) == (ExitCode.USAGE, "")
    assert "--help" in said.stderr
    assert "Traceback" not in said.stderr


def test_an_error_is_one_sentence_on_stderr() -> None:
    """It begins with the program's name, as in a log of many."""
    said = run(AGENT_SENSOR, "watch", "--scope=/proc")
    assert (said.returncode, said.stdout) == (ExitCode.BAD_INPUT, "")
    assert said.stderr.startswith("agent-sensor: --scope /proc: ")
    assert len(said.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("--help",), ("doctor",), ("watch", "--help")])
def test_a_reader_that_has_gone_is_no_error(arguments: tuple[str, ...]) -> None:
    """As in ``agent-sensor doctor | head -1``: nobody complains."""
    said = run(AGENT_SENSOR, *arguments, redirect="| true")
    assert (said.returncode, said.stderr) == (0, "")


def test_a_full_disk_is_told() -> None:
    """The sentence is the system's own, without a traceback."""
    said = run(AGENT_SENSOR, "doctor", redirect=">/dev/full")
    assert said.returncode == ExitCode.FAILED
    assert "No space left on device" in said.stderr
    assert len(said.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("--run-dir", "/run/x", "tail", "--since", "1"),
         "agent-sensor tail --run-dir /run/x --since 1"),
        (("--json", "doctor"), "agent-sensor doctor --json"),
        (("--scope=/x", "--bpffs", "/y", "load"), "agent-sensor load --scope=/x --bpffs /y"),
    ],
)  # fmt: skip
def test_an_option_of_a_command_stands_behind_it(arguments: tuple[str, ...], remedy: str) -> None:
    """Whoever writes it before is told what to write."""
    said = run(AGENT_SENSOR, *arguments)
    assert (said.returncode, said.stdout) == (ExitCode.USAGE, "")
    assert f"belongs behind the command: {remedy}\n" in said.stderr


@pytest.mark.parametrize("arguments", [("--nonsense", "tail"), ("--run-dir",), ("--since", "1")])
def test_an_option_of_no_command_is_none(arguments: tuple[str, ...]) -> None:
    """Also where no command is named that could have it."""
    said = run(AGENT_SENSOR, *arguments)
    assert said.returncode == ExitCode.USAGE
    assert "No such option" in said.stderr
    assert arguments[0] in said.stderr


def test_a_file_s_name_never_reaches_the_terminal_raw(tmp_path: Path) -> None:
    """Whoever checks all files of a folder did not pick their names."""
    file = tmp_path / "\x1b]0;x\x07\u202e.toml"
    file.write_text("version = 2\n")
    for options in ([], ["--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "sensor", "policy", "check", *options, file],
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == ExitCode.BAD_INPUT
        assert (done.stdout + done.stderr).replace(b"\n", b"").decode().isprintable()
