# SPDX-License-Identifier: Apache-2.0
"""``explain``: why an event is what it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from sensor.cli import options
from sensor.cli.printer import Printer, stdout
from sensor.cli.sourcing import source_at
from sensor.core.explain import explain as explain_event

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Say why an event is what it is.")
@click.argument("seq", type=click.IntRange(min=1))
@options.as_json
@options.run_dir
@options.state_dir
def explain(*, seq: int, as_json: bool, run_dir: Path, state_dir: Path) -> None:
    """Say why the event with this seq is what it is.

    Shows each piece of evidence with its weight, the tool's marks that were not
    there, how the confidence comes about, which rule decided, and what would
    have changed it. `tail --seq` and `query --seq` show each event's seq.

    \b
    Examples:
      agent-sensor explain 4711
      agent-sensor explain 4711 --json | jq .would_change
    """
    from sensor.daemon import searching  # the store and msgpack: only here
    from sensor.daemon.catalogues import catalogue  # reads files: only here

    printer = Printer(stdout(as_json=as_json), as_json=as_json, all_children=True, color="never")
    with source_at(run_dir, state_dir) as source:
        event, start = searching.judged(source, seq)
    told = explain_event(event, start, catalogue())
    if as_json:
        printer.write(json.dumps(told.as_dict(), ensure_ascii=False))
    else:
        for line in told.lines():
            printer.write(line)
    printer.flush()
