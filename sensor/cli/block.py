# SPDX-License-Identifier: Apache-2.0
"""``block``: for responders, what is refused from this moment on, until it ends."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from sensor.cli import chrome, options
from sensor.cli.printer import Printer, stdout
from sensor.cli.sourcing import daemon_at
from sensor.core.quote import quote
from sensor.core.table import table
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_SECONDS = {"m": 60, "h": 3600, "d": 86_400}
_FOR = re.compile(r"([0-9]{1,5})([mhd])", re.ASCII)
_HEADS = ("ID", "ENDS", "TICKET", "BLOCKS", "REASON")
_WHAT = (("tools", "tool"), ("sessions", "session"), ("users", "user"), ("endpoints", "endpoint"))


@click.group(short_help="Refuse something from now on, until it ends.")
def block() -> None:
    """Refuse something from now on, until it ends.

    Blocks come before all rules of the policy. They survive restarts and end by
    themselves, in the kernel, also where no sensor runs then.

    \b
    Examples:
      agent-sensor block add --session uimgkfb4 --ticket INC-7 --for 4h
      agent-sensor block ls
    """


@block.command(short_help="Refuse a tool, a user's tools, a session, an endpoint.")
@click.option("--tool", multiple=True, help="Tool, vendor:NAME, category:NAME or *.")
@click.option("--user", multiple=True, help="Whose attempts; all tools where no --tool is given.")
@click.option("--session", help="Cut this session off from the network.")
@click.option("--endpoint", multiple=True, help="Endpoint, host name, range or *, with :PORT.")
@click.option("--ticket", required=True, help="Why, where others can read on.")
@click.option("--for", "for_", metavar="TIME", help="How long: 30m, 4h or 7d.")
@click.option(
    "--until", metavar="WHEN", help="Until when, like 2027-01-31T18:00Z; UTC if it does not say."
)
@click.option("--reason", help="A line for responders.")
@click.option("--message", help="A line for the person who is blocked.")
@options.as_json
@options.run_dir
def add(  # one for each option
    *,
    tool: tuple[str, ...],
    user: tuple[str, ...],
    session: str | None,
    endpoint: tuple[str, ...],
    ticket: str,
    for_: str | None,
    until: str | None,
    reason: str | None,
    message: str | None,
    as_json: bool,
    run_dir: Path,
) -> None:
    """Refuse a tool, a user's tools, a session or an endpoint.

    What is named together has to hold together. A tool does not start any more, and
    what runs of it reaches nothing; open connections are closed. For root alone.

    \b
    Examples:
      agent-sensor block add --tool claude-code --user alice --ticket INC-7 --for 4h
      agent-sensor block add --endpoint example-ai.com --ticket INC-7 --until 2027-01-31T18:00Z
    """
    said = _ask(
        run_dir,
        "block_add",
        tools=list(tool),
        users=list(user),
        sessions=[session] if session else [],
        endpoints=list(endpoint),
        ticket=ticket,
        reason=reason,
        message=message,
        expires=_end(for_, until).isoformat().replace("+00:00", "Z"),
    )
    if remark := said.get("remark"):
        chrome.say(str(remark))
    _print([json.dumps(said)] if as_json else [line(said)], as_json=as_json)


@block.command(short_help="Refuse it no longer.")
@click.argument("block_id", metavar="ID")
@options.run_dir
def rm(*, block_id: str, run_dir: Path) -> None:
    """Refuse it no longer.

    \b
    Examples:
      agent-sensor block rm runtime-1
      agent-sensor block ls --json | jq -r .id | xargs -n1 agent-sensor block rm
    """
    _ask(run_dir, "block_rm", id=block_id)
    _print([f"removed {quote(block_id)}"], as_json=False)


@block.command(short_help="List what is refused until it ends.")
@options.as_json
@options.run_dir
def ls(*, as_json: bool, run_dir: Path) -> None:
    """List what is refused until it ends.

    \b
    Examples:
      agent-sensor block ls
      agent-sensor block ls --json
    """
    found = _ask(run_dir, "block_ls")["blocks"]
    blocks: list[dict[str, object]] = found if isinstance(found, list) else []
    if as_json:
        _print([json.dumps(one) for one in blocks], as_json=True)
    elif blocks:
        _print(table(_HEADS, [_cells(one) for one in blocks]), as_json=False)


def _ask(run_dir: Path, do: str, **arguments: object) -> dict[str, object]:
    with daemon_at(run_dir) as connection:
        return connection.control(do, **arguments)


def _print(lines: Iterable[str], *, as_json: bool) -> None:
    printer = Printer(stdout(as_json=as_json), as_json=as_json, all_children=True, color="never")
    for line in lines:
        printer.write(line)
    printer.flush()


def _end(for_: str | None, until: str | None) -> datetime:
    """Read when a block is to end. Raises BadInputError for none, both, or what is no time."""
    if for_ is not None and until is not None:
        raise BadInputError("block add: give one end, --for or --until: not both")
    if for_ is None and until is None:
        raise BadInputError("block add: give an end: --for 4h, or --until 2027-01-31T18:00Z")
    if for_ is not None:
        match = _FOR.fullmatch(for_)
        if not match:
            raise BadInputError(f"--for {for_!a}: expected a number and m, h or d; write 4h")
        return datetime.now(UTC).replace(microsecond=0) + timedelta(
            seconds=int(match[1]) * _SECONDS[match[2]]
        )
    try:
        moment = datetime.fromisoformat(until or "")
    except ValueError:
        raise BadInputError(
            f"--until {until!a}: no time; write 2027-01-31T18:00Z (UTC), or +02:00"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _cells(one: dict[str, object]) -> tuple[str, ...]:
    ticket, reason = (quote(str(one[key])) if one[key] else "-" for key in ("ticket", "reason"))
    ends = datetime.fromisoformat(str(one["expires"])).astimezone(UTC)
    return str(one["id"]), f"{ends:%Y-%m-%dT%H:%M:%SZ}", ticket, _what(one), reason


def _what(one: dict[str, object]) -> str:
    parts = []
    for key, word in _WHAT:
        named = one[key]
        if isinstance(named, list) and named:
            parts.append(f"{word} {' or '.join(quote(str(name)) for name in named)}")
    return ", ".join(parts)


def line(one: dict[str, object]) -> str:
    """Write a block as one line: which, what, until when and why."""
    block_id, ends, ticket, what, _ = _cells(one)
    return f"{block_id} blocks {what} until {ends}, ticket {ticket}"
