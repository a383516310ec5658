# SPDX-License-Identifier: Apache-2.0
"""``watch``: the foreground, observing sensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sensor.cli import options
from sensor.cli.printer import Printer, stdout
from sensor.daemon.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="See every AI tool on this host, live.")
@options.scope
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="End after so many seconds.")
@click.option("--all-children", is_flag=True, help="Show what children start, at any depth.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="NO_COLOR is honoured too.",
)
def watch(
    *, scope: Path | None, as_json: bool, seconds: float | None, all_children: bool, color: str
) -> None:
    """See every AI tool on this host, live, until Ctrl-C.

    Shows each AI tool that is executed, what it starts itself, which hosts it
    looks up and connects to, and when it ends. Observes only: nothing is
    blocked, and nothing is left behind at the end.

    \b
    Examples:
      agent-sensor watch
      agent-sensor watch --json --for 60 | jq 'select(.kind == "connect")'
    """
    printer = Printer(
        stdout(as_json=as_json), as_json=as_json, all_children=all_children, color=color
    )
    watching = Watch(scope, show=printer.show, say=lambda text: click.echo(text, err=True))
    watching.run(seconds, flush=printer.flush, reader=printer.pipe())
