# SPDX-License-Identifier: Apache-2.0
"""``sessions``: the runs of AI tools, running and past, and one of them as a tree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from sensor.cli import choosing, chrome, options
from sensor.cli.clock import window
from sensor.cli.printer import Printer, stdout
from sensor.cli.sourcing import source_at
from sensor.core.sessionbook import HEADS, State
from sensor.core.sessiontree import as_dict
from sensor.core.table import table
from sensor.core.treetext import FOLD, lines

if TYPE_CHECKING:
    from pathlib import Path


@click.group(short_help="List the runs of AI tools, running and past.", invoke_without_command=True)
@choosing.since_yesterday
@choosing.until
@click.option("--running", is_flag=True, help="Only those that are running now.")
@choosing.who
@choosing.as_json
@options.run_dir
@options.state_dir
@click.pass_context
def sessions(
    ctx: click.Context,
    /,
    *,
    since: str,
    until: str | None,
    running: bool,
    as_json: bool,
    run_dir: Path,
    state_dir: Path,
    **names: tuple[str, ...],
) -> None:
    """List the runs of AI tools, running and past.

    A session is one run of a tool with all that it started. Those are listed
    that were running at some time between --since and --until: who ran what,
    for how long, and how much went over connections that are over. Times are UTC.

    \b
    Examples:
      agent-sensor sessions --running
      agent-sensor sessions show uimgkfb4
    """
    if ctx.invoked_subcommand:
        # What was given before the word holds after it.
        own = {"as_json": as_json, "run_dir": run_dir, "state_dir": state_dir}
        ctx.default_map = {ctx.invoked_subcommand: own}
        return
    from sensor.daemon import searching  # the store and msgpack: only here

    first, last = window(since, until)
    wanted = choosing.wanted(**names)
    printer = _printer(as_json=as_json)
    with source_at(run_dir, state_dir) as source:
        now = searching.now(source)
        found = searching.runs(
            source,
            wanted,
            since=first,
            until=last,
            counted=chrome.counted,
        )
    if running:
        found = [run for run in found if run.state(now) is State.RUNNING]
    if not found:
        choosing.nothing(wanted, "running session" if running else "session")
    if as_json:
        for run in found:
            printer.write(json.dumps(run.as_dict(now), ensure_ascii=False))
    elif found:
        printer.write("\n".join(table(HEADS, [run.texts(now) for run in found])))
    printer.flush()


@sessions.command(short_help="Show one session as a tree.")
@click.argument("session_id", metavar="ID")
@click.option("--unfolded", is_flag=True, help="One line for each process, however many.")
@choosing.as_json
@options.run_dir
@options.state_dir
def show(*, session_id: str, unfolded: bool, as_json: bool, run_dir: Path, state_dir: Path) -> None:
    """Show one session: what it ran, and whom it talked to.

    Each process stands below the one that started it. A line that begins with -> is
    a destination, with the bytes of connections that are over; ?? are names that
    were looked up and not connected to.

    \b
    Examples:
      agent-sensor sessions show uimgkfb4
      agent-sensor sessions show uimgkfb4 --json | jq '.. | .links? // empty'
    """
    from sensor.daemon import searching  # the store and msgpack: only here

    printer = _printer(as_json=as_json)
    with source_at(run_dir, state_dir) as source:
        now = searching.now(source)
        run, trees = searching.session(source, session_id, counted=chrome.counted)
    if as_json:
        told = {**run.as_dict(now), "trees": [as_dict(tree) for tree in trees]}
        printer.write(json.dumps(told, ensure_ascii=False))
    else:
        for line in run.head(now):
            printer.write(line)
        for tree in trees:
            printer.write("")
            for line in lines(tree, fold=None if unfolded else FOLD):
                printer.write(line)
    printer.flush()


def _printer(*, as_json: bool) -> Printer:
    return Printer(stdout(as_json=as_json), as_json=as_json, all_children=True, color="never")
