# SPDX-License-Identifier: Apache-2.0
"""``query``: what happened in some time, event by event or counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from sensor.cli import choosing, chrome, options
from sensor.cli.clock import window
from sensor.cli.printer import Printer, stdout
from sensor.cli.sourcing import source_at
from sensor.core.columns import FLAT, GROUPS
from sensor.core.table import csv_line, table
from sensor.core.tally import FIGURES, HEADS, Tally, groups_of
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sensor.core.event import Event


@click.command(short_help="Look back: which events, or how many of what.")
@choosing.since_yesterday
@choosing.until
@choosing.who
@choosing.what
@click.option("--by", metavar="NAMES", help=f"Count by one or more of: {', '.join(GROUPS)}.")
@click.option("-n", "most", type=click.IntRange(min=1), metavar="N", help="The N first at most.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="For people, or for programs.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@choosing.with_seq
@choosing.wall
@choosing.color
@options.run_dir
@options.state_dir
def query(
    *,
    since: str,
    until: str | None,
    by: str | None,
    most: int | None,
    form: str,
    as_json: bool,
    with_seq: bool,
    wall: bool,
    color: str,
    run_dir: Path,
    state_dir: Path,
    **names: tuple[str, ...],
) -> None:
    """Look back: print the events of some time, or count them.

    Events come oldest first. With --by, what has the most events comes first. JSON
    is one object a line. In CSV, text that a spreadsheet would take for a formula
    gets an apostrophe. Times are UTC unless --wall is given.

    \b
    Examples:
      agent-sensor query --since 7d --by tool,user
      agent-sensor query --since 10:00 --until 10:20 --kind connect --format csv
    """
    first, last = window(since, until)
    form = "json" if as_json else form
    printer = Printer(
        stdout(as_json=form == "json"),
        as_json=form == "json",
        all_children=True,
        color=color,
        wall=wall,
        seq=with_seq,
    )
    if by and (wall or with_seq):
        option = "--wall" if wall else "--seq"
        raise BadInputError(f"{option} is for lines of events: leave it out with --by")
    groups = groups_of(by) if by else ()
    wanted = choosing.wanted(**names)
    with source_at(run_dir, state_dir, time=printer.time) as source:
        found = chrome.counted(source.events(wanted, since=first, until=last))
        if groups:
            is_any = _count(printer, found, groups, form=form, most=most)
        else:
            is_any = _list(printer, found, form=form, most=most)
    if not is_any:
        choosing.nothing(wanted, "event")
    printer.flush()


def _list(printer: Printer, found: Iterable[Event], *, form: str, most: int | None) -> bool:
    """Print events, and tell whether there is one."""
    is_any = False
    if form == "csv":
        printer.write(csv_line(FLAT))
    for shown, event in enumerate(found):
        if shown == most:
            chrome.say(f"there are more: go on with --since {event.seq}")
            return True
        is_any = True
        if form == "csv":
            printer.write(csv_line(read(event) for read in FLAT.values()))
        else:
            printer.show(event)
    return is_any


def _count(
    printer: Printer, found: Iterable[Event], by: tuple[str, ...], *, form: str, most: int | None
) -> bool:
    """Print how many events there are of each group, and tell whether there is one."""
    tally = Tally(by)
    for event in found:
        tally.take(event)
    groups = tally.groups()
    shown = groups[:most]
    match form:
        case "json":
            lines = [json.dumps(tally.as_dict(group), ensure_ascii=False) for group in shown]
        case "csv":
            lines = [csv_line([*by, *FIGURES]), *(csv_line(group.cells()) for group in shown)]
        case _:
            lines = table([*by, *HEADS], [group.texts() for group in shown]) if shown else []
    for line in lines:
        printer.write(line)
    if len(shown) < len(groups):
        chrome.say(f"{len(groups) - len(shown)} more with fewer events")
    return bool(groups)
