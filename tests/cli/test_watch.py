# SPDX-License-Identifier: Apache-2.0
"""What a user sees of `watch`: lines for people and for programs, whatever a tool calls itself."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from support.host import AGENT_SENSOR, copied
from support.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from support.scope import Argument

pytestmark = pytest.mark.kernel

LONG_S = 60
# Titles, colours, a cleared screen, C1 controls, a carriage return, a right-to-left
# override, line and paragraph separators, bytes that are no text.
HOSTILE = (
    b"\x1b]0;owned\x07",
    b"\x1b[2J\x1b[31m",
    b"\x9b2J",
    "\u009b31m\u202e\u2028\u2029".encode(),
    b"a\nb\rc\td\x7f\x08",
    b"\xff\xfe",
)
STYLE = re.compile(rb"\x1b\[[0-9;]*m")


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """Give an AI tool, in a folder with a hostile name."""
    folder = tmp_path / "x\x1b[31m\ny"
    return copied("true", folder)


@contextmanager
def watching(scope: Scope, *options: str, **env: str) -> Iterator[Callable[[], Sequence[bytes]]]:
    """Run the sensor; gives a function that ends it and returns its lines."""
    argv: list[Argument] = [AGENT_SENSOR, "watch", "--scope", scope.path, *options]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **env}
    ) as process:

        def lines() -> Sequence[bytes]:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=LONG_S)
            assert process.returncode == 0, err
            return out.removesuffix(b"\n").split(b"\n")

        try:
            assert process.stderr
            said = process.stderr.readline()
            if said.startswith(b"compiling "):  # the first that is started for this kernel
                said = process.stderr.readline()
            assert said.startswith(b"watching "), said
            yield lines
        finally:
            process.kill()


def told(tool: Path, *options: str, **env: str) -> Sequence[bytes]:
    """Run the tool with hostile arguments; gives what the sensor writes."""
    with Scope() as scope, watching(scope, *options, **env) as lines:
        assert scope.run([tool, *HOSTILE], cwd=tool.parent).wait(LONG_S) == 0
        return lines()


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX"])
def test_hostile_text_never_reaches_the_terminal(tool: Path, locale: str) -> None:
    """Every character of a line can be seen, and one fact is one line."""
    lines = told(tool, LC_ALL=locale)
    assert len(lines) == 4
    for line in lines:
        text = line.decode("utf-8")
        assert text.isprintable(), text
        assert b"claude" in line


def test_a_locale_without_the_letters_stops_nothing(tmp_path: Path) -> None:
    """What it cannot write is escaped."""
    lines = told(copied("true", tmp_path / "é"), PYTHONIOENCODING="ascii")
    assert rb"\xe9" in b"".join(lines)


def test_colour_is_all_that_steers_a_terminal(tool: Path) -> None:
    """Without the colours, the lines are the same as ever."""
    lines = told(tool, "--color=always")
    assert any(STYLE.search(line) for line in lines)
    for line in lines:
        assert STYLE.sub(b"", line).decode("utf-8").isprintable()


def test_json_is_one_object_a_line(tool: Path) -> None:
    """Each has the same names, and the arguments as they were, but for bytes that are no text."""
    lines = told(tool, "--json")
    events = [json.loads(line) for line in lines]
    assert [event["kind"] for event in events] == ["session_start", "exec", "exit", "session_end"]
    assert len({tuple(event) for event in events}) == 1
    assert all(re.fullmatch(rb"[ -~]+", line) for line in lines)
    [process] = [event["process"] for event in events if event["kind"] == "exec"]
    assert process["exe"] == str(tool)
    assert process["argv"][1:] == [
        argument.decode("utf-8", "backslashreplace") for argument in HOSTILE
    ]


def test_every_line_is_an_event(tool: Path) -> None:
    """The human line is in the JSON too."""
    with Scope() as scope, watching(scope) as human, watching(scope, "--json") as machine:
        assert scope.run([tool]).wait(LONG_S) == 0
        lines = [line.decode("utf-8") for line in human()]
        events = [json.loads(line) for line in machine()]
    # Session ids and times are each sensor's own.
    assert [event["line"].split()[2:4] for event in events] == [line.split()[2:4] for line in lines]


@pytest.mark.parametrize(("options", "count"), [((), 2), (("--all-children",), 3)])
def test_children_of_children_are_shown_if_asked_for(
    tmp_path: Path, options: tuple[str, ...], count: int
) -> None:
    """Without, a tool shows what it starts itself."""
    tool = copied("sh", tmp_path)
    with Scope() as scope, watching(scope, "--json", *options) as lines:
        nested = ["-c", "sh -c 'true; /bin/true; true'; true"]
        assert scope.run([tool, *nested]).wait(LONG_S) == 0
        events = [json.loads(line) for line in lines()]
    assert sum(event["kind"] == "exec" for event in events) == count
