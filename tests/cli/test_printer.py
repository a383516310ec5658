# SPDX-License-Identifier: Apache-2.0
"""Events on paper, in a pipe and on a terminal."""

from __future__ import annotations

import io
import json
import os
import re
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

import pytest
from support.story import (
    CATALOGUE,
    CLAUDE,
    CODEX,
    GIT,
    StoryHost,
    connect,
    events,
    exec_,
    exit_,
    fork,
)

from sensor.cli.printer import Printer
from sensor.core.engine import Engine
from sensor.core.event import HealthView, Kind, Verdict
from sensor.core.facts import Loss
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sensor.core.event import Event

STYLE = re.compile(r"\x1b\[[0-9;]*m")
RED = "\x1b[31m"


@pytest.fixture(autouse=True)
def no_preference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run without a NO_COLOR of whoever tests."""
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(scope="module")
def story() -> Sequence[Event]:
    """Tell of a tool that starts git, which starts git, which connects; and of another tool."""
    return events(
        Engine(CATALOGUE, StoryHost()),
        exec_(10, *CLAUDE),
        fork(10, 11),
        exec_(11, *GIT, root=10),
        fork(11, 12, root=10),
        exec_(12, *GIT, root=10),
        connect(12, "192.0.2.1", root=10),
        exit_(12, root=10),
        exec_(20, *CODEX),
        Loss(at_ns=30, what="exec", count=3),
    )


def printer(
    out: IO[str], *, as_json: bool = False, all_children: bool = True, color: str = "never"
) -> Printer:
    """Give a printer; unless told otherwise it prints all in black."""
    return Printer(out, as_json=as_json, all_children=all_children, color=color)


def printed(
    story: Sequence[Event],
    *,
    as_json: bool = False,
    all_children: bool = True,
    color: str = "never",
) -> list[str]:
    """Give the lines that are printed into a file."""
    out = io.StringIO()
    printing = printer(out, as_json=as_json, all_children=all_children, color=color)
    for event in story:
        printing.show(event)
    printing.flush()
    return out.getvalue().splitlines()


@contextmanager
def terminal() -> Iterator[tuple[TextIO, TextIO]]:
    """Give a terminal's two ends: what is written to the first is read from the second."""
    outer, inner = os.openpty()
    with os.fdopen(inner, "w") as out, os.fdopen(outer) as screen:
        yield out, screen


def test_a_line_is_the_events_own(story: Sequence[Event]) -> None:
    """Nothing is added in a file."""
    assert printed(story) == [event.line for event in story]


def test_json_has_every_event_by_its_names(story: Sequence[Event]) -> None:
    """The line for people is one of them."""
    told = [json.loads(line) for line in printed(story, as_json=True)]
    assert [event["line"] for event in told] == [event.line for event in story]
    assert [event["seq"] for event in told] == [event.seq for event in story]


@pytest.mark.parametrize("as_json", [False, True])
def test_without_all_children_own_ones_are_shown(story: Sequence[Event], *, as_json: bool) -> None:
    """Executions and ends deeper down are left out; connections never are."""
    left_out = [
        event
        for event in story
        if event.kind in {Kind.EXEC, Kind.EXIT} and event.depth is not None and event.depth > 1
    ]
    shown = printed(story, as_json=as_json, all_children=False)
    assert left_out
    assert len(shown) == len(story) - len(left_out)
    assert any("192.0.2.1" in line for line in shown)


def test_colour_changes_nothing_else(story: Sequence[Event]) -> None:
    """Taken away, it leaves the plain line."""
    colored = printed(story, color="always")
    assert [STYLE.sub("", line) for line in colored] == printed(story)
    assert any(STYLE.search(line) for line in colored)


def test_a_line_can_begin_with_the_seq(story: Sequence[Event]) -> None:
    """In a column of its own, and the rest of the line stays as it is, colour included."""
    for color in "never", "always":
        out = io.StringIO()
        shown = Printer(out, as_json=False, all_children=True, color=color, seq=True)
        for event in story:
            shown.show(event)
        lines = out.getvalue().splitlines()
        assert [line[:9] for line in lines] == [f"{event.seq:7}  " for event in story]
        assert [line[9:] for line in lines] == printed(story, color=color)


def test_a_session_keeps_its_colour(story: Sequence[Event]) -> None:
    """It is the same in every line and in every run."""
    lines = printed(story, color="always")
    told = zip(story, lines, strict=True)
    styles = {(event.session, STYLE.findall(line)[0]) for event, line in told}
    colors = {(session, style.replace(";1m", "m")) for session, style in styles}
    assert len(colors) == len({session for session, _ in colors})
    assert printed(story, color="always") == lines


def test_a_loss_is_red(story: Sequence[Event]) -> None:
    """It is the one line that a responder must not miss."""
    *_, line = printed(story, color="always")
    assert line.startswith(RED)


@pytest.mark.parametrize(
    ("color", "no_color", "is_colored"),
    [
        ("auto", None, True),
        ("auto", "", True),
        ("auto", "1", False),
        ("never", None, False),
        ("always", None, True),
        ("always", "1", True),
    ],
)
def test_a_terminal_has_colours_unless_its_user_minds(
    monkeypatch: pytest.MonkeyPatch, color: str, no_color: str | None, *, is_colored: bool
) -> None:
    """NO_COLOR counts when it is not empty; what is asked for outright counts more."""
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    [event, *_] = events(Engine(CATALOGUE, StoryHost()), exec_(20, *CODEX))
    with terminal() as (out, screen):
        printing = printer(out, color=color)
        printing.show(event)
        printing.flush()
        assert ("\x1b" in screen.readline()) == is_colored


@pytest.mark.parametrize("color", ["auto", "always"])
def test_json_has_no_colours(story: Sequence[Event], color: str) -> None:
    """It is for programs."""
    assert printed(story, as_json=True, color=color) == printed(story, as_json=True)


def test_a_pipe_tells_of_its_reader() -> None:
    """A file and a terminal have none that could go away."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as pipe, os.fdopen(reader), Path(os.devnull).open("w") as file:
        assert printer(pipe).pipe() == pipe.fileno()
        assert printer(file).pipe() is None


def test_a_gone_reader_ends_a_pipeline_as_usual(story: Sequence[Event]) -> None:
    """It is told apart from errors."""
    reader, writer = os.pipe()
    os.close(reader)
    failing(os.fdopen(writer, "w"), story, BrokenPipeError)


def test_a_full_disk_has_a_remedy(story: Sequence[Event]) -> None:
    """The sentence says what is full."""
    full = os.fdopen(os.open("/dev/full", os.O_WRONLY), "w")
    problem = failing(full, story, SensorError)
    assert str(problem).startswith("stdout: No space left on device; ")


def failing(out: TextIO, story: Sequence[Event], kind: type[Exception]) -> Exception:
    """Print what cannot be written; gives the error."""
    printing = printer(out)
    printing.show(story[0])
    with pytest.raises(kind) as caught:
        printing.flush()
    with suppress(OSError):
        out.close()
    return caught.value


@pytest.mark.parametrize("verdict", [Verdict.BLOCK, Verdict.WOULD_BLOCK])
def test_what_policy_refuses_is_shown_at_any_depth(
    story: Sequence[Event], verdict: Verdict
) -> None:
    """Somebody has to see it, whoever started it."""
    deep = next(event for event in story if event.depth == 2 and event.kind is Kind.EXEC)
    assert printed([deep], all_children=False) == []
    assert len(printed([replace(deep, verdict=verdict)], all_children=False)) == 1


@pytest.mark.parametrize(("is_well", "start"), [(False, RED), (True, "14:")])
def test_a_block_and_a_failure_are_red(
    story: Sequence[Event], *, is_well: bool, start: str
) -> None:
    """Before all else in a line."""
    health = replace(
        story[0], kind=Kind.HEALTH, session=None, health=HealthView("enforcement", is_well=is_well)
    )
    [line] = printed([health], color="always")
    assert line.startswith(start)
    [line] = printed([replace(story[1], verdict=Verdict.BLOCK)], color="always")
    assert line.startswith(RED)
