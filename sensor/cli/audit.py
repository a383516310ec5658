# SPDX-License-Identifier: Apache-2.0
"""``audit``: where AI tools are or ever were installed, by what they left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sensor.cli import chrome, options
from sensor.cli.clock import window
from sensor.cli.printer import Printer, stdout
from sensor.core.audit.findings import HEADS, told
from sensor.core.quote import quote
from sensor.core.table import csv_line, table
from sensor.core.units import count
from sensor.core.when import Moment
from sensor.edge import system
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensor.core.audit.findings import Finding
    from sensor.daemon.audit import Looked

_COLUMNS = (
    "user", "uid", "home", "place", "tool", "vendor", "state", "certainty", "first_seen",
    "last_used", "versions",
)  # fmt: skip


@click.command(short_help="Find where AI tools are or ever were installed.")
@click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("/"),
    show_default=True,
    help="Look at a mounted image instead; nothing outside of it is read.",
)
@click.option("--home", "homes", multiple=True, metavar="DIR", help="This home alone.")
@click.option("--user", "users", multiple=True, metavar="NAME", help="This user's home alone.")
@click.option("--tool", "tools", multiple=True, metavar="ID", help="This tool alone.")
@click.option(
    "--since", metavar="WHEN", help="What left a trace since then: 30d, or 2026-11-23 (UTC)."
)
@click.option("--traces", is_flag=True, help="Show each trace below its line.")
@click.option("--no-contents", is_flag=True, help="Do not look into programs: faster.")
@click.option("--no-sessions", is_flag=True, help="Leave out what the sensor has seen run.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, without traces.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write a page that needs nothing else.",
)
@click.option("--worker", is_flag=True, hidden=True, help="For the daemon: idle, one JSON a line.")
@options.run_dir
@options.state_dir
def audit(
    *,
    root: Path,
    homes: tuple[str, ...],
    users: tuple[str, ...],
    tools: tuple[str, ...],
    since: str | None,
    traces: bool,
    no_contents: bool,
    no_sessions: bool,
    as_json: bool,
    as_csv: bool,
    html: Path | None,
    worker: bool,
    run_dir: Path,
    state_dir: Path,
) -> None:
    """Find where AI tools are or ever were installed.

    Goes through homes, also those that nobody has any more, the system's places
    and the layers of containers, for what tools and package managers leave behind,
    and joins it with the sessions that the sensor has seen. Needs neither root nor
    a kernel that the sensor runs on; without root it sees what you can read.
    Contents of prompts, keys and code are never read into it. Times are UTC.

    \b
    Examples:
      agent-sensor audit --traces --user alice
      agent-sensor audit --root /mnt/image --json
    """
    from sensor.daemon.audit import Wanted  # the walker: only here
    from sensor.daemon.auditing import audited

    if worker:
        system.idle()
    if as_json and as_csv:
        raise BadInputError("--json and --csv are two forms of one thing: give one")
    since_ns = _since(since)
    wanted = Wanted(root=root, homes=homes, users=users, contents=not no_contents)
    with chrome.progress("looked at name") as show:
        ledger, looked = audited(
            wanted,
            tools=frozenset(tools),
            show=show,
            places=None if no_sessions or root.resolve() != Path("/") else (run_dir, state_dir),
            say=chrome.say,
        )
    found = list(ledger.findings(since_ns=since_ns))
    if html:
        from sensor.daemon.reporting import write_audit  # jinja2: only here

        write_audit(html, found, looked)
    printer = Printer(stdout(as_json=as_json), as_json=as_json, all_children=True, color="never")
    if worker:
        for one in found:
            printer.write(json.dumps(one.as_dict()))
    elif as_json:
        printer.write(json.dumps([one.as_dict() for one in found], indent=1))
    elif as_csv:
        _csv(printer, found)
    elif found and not html:
        _table(printer, found, traces=traces)
    printer.flush()
    _sum_up(found, looked)


def _since(text: str | None) -> int | None:
    first, _ = window(text, None)
    if first is None:
        return None
    if not isinstance(first, Moment):
        raise BadInputError(f"--since {quote(text or '')}: expected a time, like 2026-11-23 or 30d")
    return first.wall_ns


def _csv(printer: Printer, found: Sequence[Finding]) -> None:
    printer.write(csv_line(_COLUMNS))
    for one in found:
        plain = one.as_dict() | {"versions": " ".join(one.versions)}
        cells = (plain[name] for name in _COLUMNS)
        printer.write(csv_line(None if cell is None else str(cell) for cell in cells))


def _table(printer: Printer, found: Sequence[Finding], *, traces: bool) -> None:
    head, *rows = table(HEADS, [one.texts() for one in found])
    printer.write(head)
    for one, row in zip(found, rows, strict=True):
        printer.write(row)
        for trace in one.traces if traces else ():
            printer.write(f"    {told(trace)}")


def _sum_up(found: Sequence[Finding], looked: Looked) -> None:
    tools = count(len({one.tool for one in found}), "tool", "tools")
    places = count(looked.homes, "home", "homes")
    layers = f" and {count(looked.layers, 'layer', 'layers')}" if looked.layers else ""
    chrome.say(f"{tools} found in {places}{layers}, {looked.entries:,} names")
    for why, amount in sorted(looked.left.items()):
        example = quote(looked.examples[why])
        chrome.say(f"not looked at: {count(amount, 'place', 'places')} {why}, like {example}")
