# SPDX-License-Identifier: Apache-2.0
"""``catalog``: what the sensor knows by name, and how an owner adds to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from sensor.cli import chrome, options
from sensor.cli.printer import Printer, stdout
from sensor.cli.sourcing import daemon_at
from sensor.core.cataloguetext import HEADS, row, shown
from sensor.core.keys import SHARED
from sensor.core.layers import digest
from sensor.core.mistakes import guess
from sensor.core.quote import quote_path
from sensor.core.table import table
from sensor.core.units import count
from sensor.daemon import catalogues
from sensor.edge import guarded
from sensor.errors import BadInputError, NoDaemonError, SensorError

if TYPE_CHECKING:
    from collections.abc import Iterable

# Who may read it is for the kernel to say, as of a folder.
_FILE = click.Path(dir_okay=False, readable=False, path_type=Path)
_SUFFIX = ".toml"
_FILE_MODE, _FOLDER_MODE = 0o644, 0o755


@click.group(short_help="Show, check and extend what is known by name.")
def catalog() -> None:
    """Show, check and extend what is known by name.

    AI tools, the services behind them, and what gives them away; each fact with
    its source. Files in a directory add to what is shipped, or replace it.

    \b
    Examples:
      agent-sensor catalog ls
      agent-sensor catalog update corp-clients.toml
    """


@catalog.command(short_help="List tools and services.")
@options.catalog_dir
@options.as_json
def ls(*, catalog_dir: Path, as_json: bool) -> None:
    """List tools and services.

    SEEN says whether somebody ran or installed the tool, or all that is known of
    it is from documentation; the latter counts for less. With --json also services.

    \b
    Examples:
      agent-sensor catalog ls
      agent-sensor catalog ls --json | jq -r '.endpoints[].hosts[]'
    """
    known = catalogues.catalogue(catalog_dir)
    if as_json:
        told = {
            "digest": digest(known),
            "tools": [shown(tool) for tool in known.tools],
            "endpoints": [shown(one) for one in known.endpoints],
        }
        _print([json.dumps(told, ensure_ascii=False)], as_json=True)
        return
    _print(table(HEADS, [row(tool) for tool in known.tools]), as_json=False)
    services = count(len(known.endpoints), "service", "services")
    tools = count(len(known.tools), "tool", "tools")
    chrome.say(f"{tools}, {services}; digest {digest(known)}")


@catalog.command(short_help="Show all that is known of a tool or service.")
@click.argument("entry_id", metavar="ID")
@options.catalog_dir
@options.as_json
def show(*, entry_id: str, catalog_dir: Path, as_json: bool) -> None:
    """Show all that is known of a tool or service.

    Each fact with its source: "ran" and "installed" were seen, "docs" was read.
    Other software bears a weak name too; a known stranger bears a shared one, by
    which alone nothing is refused before it is looked at.

    \b
    Examples:
      agent-sensor catalog show claude-code
      agent-sensor catalog show goose --json | jq '.facts[] | select(.weak)'
    """
    known = catalogues.catalogue(catalog_dir)
    endpoints = {one.id: one for one in known.endpoints}
    found = [one for one in (known.tool(entry_id), endpoints.get(entry_id)) if one]
    if not found:
        ids = [*(tool.id for tool in known.tools), *endpoints]
        remedy = guess(entry_id, ids, "see agent-sensor catalog ls")
        raise BadInputError(f"catalog show: {entry_id!a} is not known; {remedy}")
    if as_json:
        _print([json.dumps(shown(one), ensure_ascii=False) for one in found], as_json=True)
        return
    for one in found:
        _print(_lines(shown(one)), as_json=False)


@catalog.command(short_help="Find the mistakes in a file of a catalogue.")
@click.argument("file", type=_FILE)
@options.catalog_dir
def check(*, file: Path, catalog_dir: Path) -> None:
    """Find the mistakes in a file of a catalogue.

    As it would be taken, over what is shipped and beside the other files. Ends with
    5 where it would not be, and names line, entry, key and remedy.

    \b
    Examples:
      agent-sensor catalog check corp-clients.toml
      agent-sensor catalog check corp-clients.toml && agent-sensor catalog update corp-clients.toml
    """
    _checked(file, catalog_dir)


@catalog.command(short_help="Put a file of a catalogue in force.")
@click.argument("file", type=_FILE)
@options.catalog_dir
@options.run_dir
def update(*, file: Path, catalog_dir: Path, run_dir: Path) -> None:
    """Put a file of a catalogue in force.

    Copies it into the directory, in the place of one of its name, and has the
    daemon go by it at once. Where policy cannot be had with it, all stays as it
    was. The directory is the one that the daemon goes by. For root alone.

    \b
    Examples:
      agent-sensor catalog update corp-clients.toml
      agent-sensor catalog update corp-clients.toml --run-dir /tmp/run
    """
    folder = _folder(catalog_dir, run_dir)
    _checked(file, folder)
    place = folder / file.name
    before = place.read_text("utf-8") if place.exists() else None
    folder.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
    _put(place, file.read_text("utf-8"))
    try:
        told = _reload(run_dir)
    except NoDaemonError:
        chrome.say(f"{quote_path(str(place))} holds from the next start: no daemon runs")
        return
    except SensorError:
        if before is None:
            place.unlink()
        else:
            _put(place, before)
        raise
    _print([f"in force: {told['tools']} tools, digest {told['digest']}"], as_json=False)


def _folder(asked: Path, run_dir: Path) -> Path:
    """Give the directory of the daemon, if one runs; whoever names one has to mean that."""
    try:
        with daemon_at(run_dir) as connection:
            said = connection.status().get("catalogue")
    except NoDaemonError:
        return asked
    used = Path(str(said["directory"])) if isinstance(said, dict) else asked
    source = click.get_current_context().get_parameter_source("catalog_dir")
    if source is not ParameterSource.DEFAULT and used != asked.absolute():
        raise BadInputError(
            f"--catalog-dir {quote_path(str(asked))}: the daemon at {quote_path(str(run_dir))} goes"
            f" by {quote_path(str(used))}; leave it out, or name the daemon that goes by yours with"
            " --run-dir"
        )
    return used


def _checked(file: Path, directory: Path) -> None:
    if file.suffix != _SUFFIX:
        raise BadInputError(f"{file}: its name does not end with {_SUFFIX}; give it one that does")
    found = catalogues.read(file, is_layer=True)
    whole = catalogues.catalogue(directory, instead=file)
    tools, services = count(len(found.tools), "tool", "tools"), len(found.endpoints)
    said = f"{tools} and {count(services, 'service', 'services')}"
    _print([f"well-formed: {said}; {len(whole.tools)} tools in all"], as_json=False)


def _put(place: Path, text: str) -> None:
    guarded.write(place, text)
    place.chmod(_FILE_MODE)  # members of the group read it too, for explain


def _reload(run_dir: Path) -> dict[str, object]:
    with daemon_at(run_dir) as connection:
        return connection.control("catalog_reload")


def _lines(said: dict[str, object]) -> Iterable[str]:
    facts = said.pop("facts")
    for key, value in said.items():
        yield f"{key:10}  {', '.join(value) if isinstance(value, list) else value}"
    rows = facts if isinstance(facts, list) else []
    heads = ("FACT", "VALUE", "WEAK", "SOURCE")
    yield from table(
        heads,
        [(one["key"], one["value"], _weakness(one), one["source"]) for one in rows],
    )


def _weakness(fact: dict[str, object]) -> str:
    """Say by whom else a mark is borne: other software, or a known stranger."""
    return "shared" if fact["key"] == SHARED else "weak" if fact["weak"] else ""


def _print(lines: Iterable[str], *, as_json: bool) -> None:
    printer = Printer(stdout(as_json=as_json), as_json=as_json, all_children=True, color="never")
    for line in lines:
        printer.write(line)
    printer.flush()
