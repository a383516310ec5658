# SPDX-License-Identifier: Apache-2.0
"""Events on stdout: human lines, coloured by session, or JSON."""

from __future__ import annotations

import json
import os
import stat
import sys
import zlib
from contextlib import contextmanager
from io import TextIOWrapper
from typing import IO, TYPE_CHECKING, TextIO

import click

from sensor.cli import clock
from sensor.core.event import Kind, Verdict
from sensor.core.form import as_dict
from sensor.core.line import TIME_COLUMNS
from sensor.errors import BadInputError, SensorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sensor.core.event import Event

# Readable on dark and on light; red is for verdicts.
_COLORS = ("cyan", "green", "magenta", "blue", "yellow", "bright_cyan", "bright_magenta")
_OWN_DEPTH = 1
_SEQ_COLUMNS = 7
_REFUSALS = (Verdict.BLOCK, Verdict.WOULD_BLOCK)


def stdout(*, as_json: bool) -> TextIO:
    """Give stdout with an encoding that nothing fails in; JSON is UTF-8 (RFC 8259, section 8.1)."""
    if sys.stdout is None:
        raise BadInputError("stdout is closed, so events would go nowhere: write them to a file")
    if isinstance(sys.stdout, TextIOWrapper):
        encoding = "utf-8" if as_json else None
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")
    return sys.stdout


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise SensorError(
            f"stdout: {problem.strerror}; make room there, or write somewhere else"
        ) from problem


class Printer:
    """Writes events to ``out`` as they come.

    Without ``all_children``, executions and exits are shown of a tool and of
    what it starts itself, and what policy refuses of all its descendants, as their
    connections. With
    ``wall``, lines begin with date, time and offset of this host's zone; ``time`` writes
    times so that they go with the lines. With ``seq``, it stands before that.
    ``form`` makes of an event what is JSON.
    """

    def __init__(
        self,
        out: IO[str],
        *,
        as_json: bool,
        all_children: bool,
        color: str,
        wall: bool = False,
        seq: bool = False,
        form: Callable[[Event], dict[str, object]] = as_dict,
    ) -> None:
        self._out = out
        self._as_json = as_json
        self._form = form
        self._all_children = all_children
        self.time = clock.wall if wall else clock.clock
        self._wall = wall
        self._seq = seq
        self._color = color == "always" or (
            color == "auto" and out.isatty() and not os.environ.get("NO_COLOR")
        )

    def show(self, event: Event) -> None:
        """Print one event, unless it is one that was not asked for."""
        if not self.wants(event):
            return
        if self._as_json:
            # All but ASCII is escaped: what a process calls itself must not steer a terminal.
            self.write(json.dumps(self._form(event)))
            return
        line = f"{clock.wall(event.at)}{event.line[TIME_COLUMNS:]}" if self._wall else event.line
        seq = f"{event.seq:{_SEQ_COLUMNS}}  " if self._seq else ""
        self.write(f"{seq}{self._colored(event, line) if self._color else line}")

    def write(self, text: str) -> None:
        """Print a line of something else than an event."""
        with _writing():
            self._out.write(f"{text}\n")

    def flush(self) -> None:
        """Hand what was printed to the reader.

        Raises BrokenPipeError where the reader has gone, SensorError where
        there is no room.
        """
        with _writing():
            self._out.flush()

    def pipe(self) -> int | None:
        """Give the descriptor that tells of a gone reader, where events go to a pipe."""
        is_pipe = stat.S_ISFIFO(os.fstat(self._out.fileno()).st_mode)
        return self._out.fileno() if is_pipe else None

    def wants(self, event: Event) -> bool:
        """Tell whether an event is one of those that are shown."""
        if self._all_children or event.kind not in {Kind.EXEC, Kind.EXIT}:
            return True
        if event.verdict in _REFUSALS:
            return True
        return event.depth is None or event.depth <= _OWN_DEPTH

    @staticmethod
    def _colored(event: Event, line: str) -> str:
        is_failing = event.health is not None and not event.health.is_well
        if is_failing or event.kind in {Kind.LOSS, Kind.GAP} or event.verdict is Verdict.BLOCK:
            return click.style(line, fg="red")
        if event.session is None:
            return line
        # A stable hash: the same session has the same colour in every terminal.
        fg = _COLORS[zlib.crc32(event.session.encode()) % len(_COLORS)]
        bold = event.verdict is Verdict.ALERT
        return line.replace(event.session, click.style(event.session, fg=fg, bold=bold), 1)
