# SPDX-License-Identifier: Apache-2.0
"""``tail`` as people leave it running in a terminal: live, over restarts, until they end it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING, Self

import pytest
from support.recorded import framed, recorded
from support.serving import Serving

from sensor.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOLD = recorded()
DEADLINE_S = 30.0


class Tailing:
    """A tail that runs as a program; what it printed lies in two files."""

    def __init__(self, folder: Path, *options: str, out: IO[bytes] | int | None = None) -> None:
        self._out, self._err = folder / "out", folder / "err"
        command = [sys.executable, "-m", "sensor", "tail", "--run-dir", str(folder), *options]
        with self._out.open("wb") as own, self._err.open("wb") as err:
            self.process = subprocess.Popen(command, stdout=own if out is None else out, stderr=err)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def out(self) -> list[str]:
        """The lines on stdout."""
        return self._out.read_text("utf-8").splitlines()

    @property
    def err(self) -> str:
        """What is on stderr."""
        return self._err.read_text("utf-8")

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + DEADLINE_S
        while not is_so():
            assert time.monotonic() < deadline, (self.out, self.err)
            assert self.process.poll() is None or is_so(), (self.out, self.err)
            os.sched_yield()

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it, and return its exit code."""
        self.process.send_signal(how)
        return self.process.wait(DEADLINE_S)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_what_happens_is_shown_until_it_is_ended(tmp_path: Path, how: signal.Signals) -> None:
    """It begins with the ten newest; Ctrl-C and SIGTERM are a regular end."""
    early, late = framed(TOLD[:30]), framed(TOLD[30:])
    with Serving(tmp_path, early) as serving, Tailing(tmp_path, "--all-children") as tail:
        tail.until(lambda: len(tail.out) == 10)
        serving.tell(late)
        tail.until(lambda: len(tail.out) == 10 + len(late))
        assert tail.out == [event.line for event in TOLD[20:]]
        assert tail.end(how) == ExitCode.OK
        assert tail.err == ""


def test_a_restart_of_the_daemon_is_told_between_the_lines(tmp_path: Path) -> None:
    """On stderr, with what may be missing; on stdout nothing is repeated."""
    with Serving(tmp_path, framed(TOLD[:38])):
        tail = Tailing(tmp_path, "--since", "1", "--json", "--all-children")
        tail.until(lambda: len(tail.out) == 38)
    with tail:
        tail.until(lambda: "waiting for it" in tail.err)
        with Serving(tmp_path, framed(TOLD)):
            tail.until(lambda: len(tail.out) == len(TOLD))
            assert tail.end() == ExitCode.OK
        assert [json.loads(line)["seq"] for line in tail.out] == [event.seq for event in TOLD]
        away, back = tail.err.splitlines()
    assert away.startswith("daemon is away since ")
    assert back.startswith("daemon was away from ")
    assert back.endswith(
        'from 14:00:52 to 14:00:55 something may be missing: "the sensor was not running"'
    )


def test_a_gone_reader_is_the_end(tmp_path: Path) -> None:
    """Of a pipeline that has seen enough, at once and without a word."""
    reader, writer = os.pipe()
    with Serving(tmp_path, framed(TOLD)), Tailing(tmp_path, out=writer) as tail:
        os.close(writer)
        assert os.read(reader, 1)
        os.close(reader)
        assert tail.process.wait(DEADLINE_S) == ExitCode.OK
        assert tail.err == ""


def test_a_tail_ends_at_its_end(tmp_path: Path) -> None:
    """With --until it needs nobody to end it."""
    with (
        Serving(tmp_path, framed(TOLD)),
        Tailing(tmp_path, "--since", "40", "--until", "42") as tail,
    ):
        assert tail.process.wait(DEADLINE_S) == ExitCode.OK
        assert tail.out == [event.line for event in TOLD[39:42]]


def test_the_newest_of_a_time_are_followed_by_what_comes(tmp_path: Path) -> None:
    """-n with --since bounds the past, not the present."""
    with (
        Serving(tmp_path, framed(TOLD[:40])) as serving,
        Tailing(
            tmp_path,
            "--since",
            "30",
            "-n",
            "2",
            "--kind",
            "exit",
            "--kind",
            "loss",
            "--kind",
            "gap",
        ) as tail,
    ):
        tail.until(lambda: len(tail.out) == 2)
        serving.tell(framed(TOLD[40:]))
        tail.until(lambda: len(tail.out) == 3)
        assert [line.split()[3] for line in tail.out] == ["exit", "loss", "gap"]


def test_without_a_daemon_it_says_how_to_start_one(tmp_path: Path) -> None:
    """And does not wait."""
    with Tailing(tmp_path) as tail:
        assert tail.process.wait(DEADLINE_S) == ExitCode.FAILED
        assert tail.out == []
        assert "no daemon at" in tail.err
        assert "systemctl start agent-sensor" in tail.err


@pytest.mark.parametrize(
    ("schema", "names"),
    [("ocsf", {"class_uid", "metadata", "type_uid"}), ("ecs", {"@timestamp", "event", "host"})],
)
def test_events_come_in_the_words_of_others(tmp_path: Path, schema: str, names: set[str]) -> None:
    """One object a line, for every event there is."""
    with (
        Serving(tmp_path, framed(TOLD)),
        Tailing(tmp_path, "--since", "1", "--no-follow", "--format", schema) as tail,
    ):
        assert tail.process.wait(DEADLINE_S) == ExitCode.OK
    objects = [json.loads(line) for line in tail.out]
    assert len(objects) == len(TOLD)
    assert all(names <= set(one) for one in objects)
