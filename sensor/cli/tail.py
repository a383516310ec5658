# SPDX-License-Identifier: Apache-2.0
"""``tail``: the stream, from some point of the past on, live."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

from sensor.cli import choosing, chrome, options
from sensor.cli.clock import window
from sensor.cli.printer import Printer, stdout
from sensor.cli.sourcing import source_at
from sensor.core.event import Event
from sensor.core.form import as_dict
from sensor.core.when import Seq

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sensor.core.filter import Filter
    from sensor.core.when import When
    from sensor.daemon.reading import Source
    from sensor.daemon.tailing import Readable

_NEWEST = 10
"""As tail(1) does."""


@click.command(short_help="Follow what AI tools do, as the daemon tells it.")
@choosing.since
@choosing.until
@click.option("-n", "newest", type=click.IntRange(min=0), metavar="N", help="Begin N events back.")
@click.option("--no-follow", is_flag=True, help="End with the newest event.")
@choosing.who
@choosing.what
@choosing.all_children
@choosing.as_json
@click.option(
    "--format",
    "schema",
    type=click.Choice(["ocsf", "ecs"]),
    help="JSON in the words of OCSF 1.6 or ECS 9.3; everything, all children too.",
)
@choosing.with_seq
@choosing.wall
@choosing.color
@options.run_dir
@options.state_dir
def tail(
    *,
    since: str | None,
    until: str | None,
    newest: int | None,
    no_follow: bool,
    all_children: bool,
    as_json: bool,
    schema: str | None,
    with_seq: bool,
    wall: bool,
    color: str,
    run_dir: Path,
    state_dir: Path,
    **names: tuple[str, ...],
) -> None:
    """Follow what AI tools do, as the daemon tells it.

    Begins with the 10 newest events; with --since there, with -n so many events
    back, with both at the newest N of that time. Goes on when the daemon is
    started again, and says what may be missing of the time between. Times are
    UTC unless --wall is given.

    \b
    Examples:
      agent-sensor tail --since 10m --user alice
      agent-sensor tail --json --kind connect | jq -r .destination.name
    """
    first, last = window(since, until)
    as_json = as_json or schema is not None
    printer = Printer(
        stdout(as_json=as_json),
        as_json=as_json,
        all_children=all_children or schema is not None,
        color=color,
        wall=wall,
        seq=with_seq,
        form=_form(schema),
    )
    asked = _Asked(choosing.wanted(**names), first, last, newest)
    if no_follow:
        _print_past(printer, asked, run_dir=run_dir, state_dir=state_dir)
    else:
        _follow(printer, asked, run_dir=run_dir)


def _form(schema: str | None) -> Callable[[Event], dict[str, object]]:
    from sensor.core.ecs import as_ecs  # both: only where they are asked for
    from sensor.core.ocsf import as_ocsf

    return {None: as_dict, "ocsf": as_ocsf, "ecs": as_ecs}[schema]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is wanted, and from where to where; ``newest`` is None where nobody said how many."""

    wanted: Filter
    since: When | None
    until: When | None
    newest: int | None


def _print_past(printer: Printer, asked: _Asked, *, run_dir: Path, state_dir: Path) -> None:
    with source_at(run_dir, state_dir, time=printer.time) as source:
        if not _show_past(printer, asked, source):
            choosing.nothing(asked.wanted, "event")


def _follow(printer: Printer, asked: _Asked, *, run_dir: Path) -> None:
    from sensor.daemon.ending import signals  # all three: only here
    from sensor.daemon.reading import HubSource
    from sensor.daemon.tailing import Tail

    remark = partial(chrome.remark, time=printer.time)
    with signals() as end:
        position = asked.since
        if position is None or asked.newest is not None:
            source = HubSource(run_dir, remark)
            _show_past(printer, asked, source)
            position = Seq(source.newest + 1)
        pipe = printer.pipe()
        ends: list[Readable | int] = [end, *([] if pipe is None else [pipe])]
        tail = Tail(run_dir, wanted=asked.wanted, until=asked.until, ends=ends)
        for batch in tail.batches(position):
            for one in batch:
                if isinstance(one, Event):
                    printer.show(one)
                else:
                    printer.flush()
                    remark(one)
            printer.flush()


def _show_past(printer: Printer, asked: _Asked, source: Source) -> bool:
    """Print what was before now, and tell whether there was something."""
    from sensor.daemon import reading  # the store and msgpack: only here

    if asked.since is not None and asked.newest is None:
        events = source.events(asked.wanted, since=asked.since, until=asked.until)
    else:
        events = iter(
            reading.newest(
                source,
                asked.wanted,
                _NEWEST if asked.newest is None else asked.newest,
                since=asked.since,
                until=asked.until,
                everywhere=asked.newest is not None,
                accepts=printer.wants,
            )
        )
    is_any = False
    for event in events:
        is_any = True
        printer.show(event)
    printer.flush()
    return is_any
