# SPDX-License-Identifier: Apache-2.0
"""What a command says beside its data: remarks and progress, on stderr."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sensor.cli.clock import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sensor.core.away import Remark
    from sensor.core.event import Event

EVERY_S = 0.1
"""Between two looks at how far one is."""

_ERASE = "\r\x1b[K"


def say(text: str) -> None:
    """Say one sentence."""
    click.echo(text, err=True)


def remark(one: Remark, *, time: Callable[[str], str] = clock) -> None:
    """Say what is known of what was missed; ``time`` writes times as the lines have them."""
    say(one.text(time))


@contextmanager
def progress(doing: str) -> Iterator[Callable[[int], None]]:
    """Give a function that shows how far one is, on a terminal only and ten times a second."""
    if not sys.stderr.isatty():
        yield lambda _amount: None
        return
    shown_s = time.monotonic()
    is_shown = False

    def show(amount: int) -> None:
        nonlocal shown_s, is_shown
        if time.monotonic() - shown_s >= EVERY_S:
            shown_s, is_shown = time.monotonic(), True
            click.echo(f"{_ERASE}{doing} {amount:,}", err=True, nl=False)

    try:
        yield show
    finally:
        if is_shown:
            click.echo(_ERASE, err=True, nl=False)


def counted(events: Iterable[Event]) -> Iterator[Event]:
    """Go through events and show how many there were."""
    with progress("reading event") as show:
        for event in events:
            show(event.seq)
            yield event
