# SPDX-License-Identifier: Apache-2.0
"""Events on stdout: human lines, coloured by session, or JSON."""

from __future__ import annotations

import json
import os
import stat
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import click

from sensor.core.event import Kind, Verdict
from sensor.core.form import as_dict
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.event import Event

# Readable on dark and on light; red is for verdicts.
_COLORS = ("cyan", "green", "magenta", "blue", "yellow", "bright_cyan", "bright_magenta")
_OWN_DEPTH = 1


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
    what it starts itself; connections are shown of all its descendants.
    """

    def __init__(self, out: IO[str], *, as_json: bool, all_children: bool, color: str) -> None:
        self._out = out
        self._as_json = as_json
        self._all_children = all_children
        self._color = color == "always" or (
            color == "auto" and out.isatty() and not os.environ.get("NO_COLOR")
        )

    def show(self, event: Event) -> None:
        """Print one event, unless it is one that was not asked for."""
        if not self._wanted(event):
            return
        if self._as_json:
            text = json.dumps(as_dict(event), ensure_ascii=False)
        else:
            text = self._colored(event) if self._color else event.line
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

    def _wanted(self, event: Event) -> bool:
        if self._all_children or event.kind not in {Kind.EXEC, Kind.EXIT}:
            return True
        return event.depth is None or event.depth <= _OWN_DEPTH

    @staticmethod
    def _colored(event: Event) -> str:
        if event.kind is Kind.LOSS:
            return click.style(event.line, fg="red")
        if event.session is None:
            return event.line
        # A stable hash: the same session has the same colour in every terminal.
        fg = _COLORS[zlib.crc32(event.session.encode()) % len(_COLORS)]
        bold = event.verdict is Verdict.ALERT
        return event.line.replace(event.session, click.style(event.session, fg=fg, bold=bold), 1)
