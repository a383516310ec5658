# SPDX-License-Identifier: Apache-2.0
"""``policy``: look at a policy before it holds, and while it does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sensor.cli import block, choosing, chrome, options
from sensor.cli.clock import window
from sensor.cli.printer import Printer, stdout
from sensor.cli.sourcing import daemon_at, source_at
from sensor.core.filter import Filter
from sensor.core.mistakes import each
from sensor.core.policy.listing import as_dict, lines
from sensor.core.policy.model import settled
from sensor.core.policy.replay import HEADS, KINDS, Replay
from sensor.core.policy.review import warnings
from sensor.core.policy.tables import compile_tables
from sensor.core.quote import quote_path
from sensor.core.table import table
from sensor.core.units import count
from sensor.core.words import Kind
from sensor.daemon import policies
from sensor.daemon.catalogues import catalogue
from sensor.errors import BadInputError, NoDaemonError, SensorError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sensor.core.catalogue import Catalogue
    from sensor.core.policy.model import Accounts, Policy

# Who may read it is for the kernel to say, as of a folder.
_FILE = click.Path(dir_okay=False, readable=False, path_type=Path)


@click.group(short_help="Check, show, try out and reload a policy.")
def policy() -> None:
    """Check, show, try out and reload a policy.

    A policy is one TOML file: which tools may run, what they may reach, for
    whom, and until when. Nothing but `reload` changes what holds.

    \b
    Examples:
      agent-sensor policy check policy.toml
      agent-sensor policy test policy.toml --since 7d
    """


@policy.command(short_help="Find the mistakes in a policy.")
@click.argument("file", type=_FILE)
@options.catalog_dir
@options.as_json
def check(*, file: Path, catalog_dir: Path, as_json: bool) -> None:
    """Find the mistakes in a policy.

    Ends with 5 for a text that would not be taken, and names line, rule, key and
    remedy of each mistake. What is taken but may not be meant is said on stderr: users that this
    host does not have, rules that another one leaves nothing for, exceptions
    that have ended, tools that a known stranger shares a name with. With --json,
    stdout has the mistakes as well.

    \b
    Examples:
      agent-sensor policy check policy.toml
      agent-sensor policy check policy.toml --json | jq -r '.mistakes[], .warnings[]'
    """
    printer = Printer(stdout(as_json=as_json), as_json=as_json, all_children=True, color="never")
    try:
        found, accounts, known = _read(file, catalog_dir)
    except BadInputError as problem:
        if as_json:
            wrong = {"file": str(file), "mistakes": each(problem), "warnings": []}
            printer.write(json.dumps(wrong))
            printer.flush()
        raise
    said = warnings(found, accounts, _now(), known)
    exceptions = sum(len(rule.exceptions) for rule in found.rules)
    if as_json:
        told = {
            "file": str(file),
            "mode": found.mode.value,
            "rules": len(found.rules),
            "exceptions": exceptions,
            "mistakes": [],
            "warnings": said,
        }
        printer.write(json.dumps(told))
    else:
        rules = count(len(found.rules), "rule", "rules")
        several = count(exceptions, "exception", "exceptions")
        printer.write(f"well-formed: {rules} and {several}, mode {found.mode.value}")
        for one in said:
            chrome.say(one)
    printer.flush()


@policy.command(short_help="Show what a policy comes to on this host.")
@click.argument("file", type=_FILE, required=False)
@options.catalog_dir
@options.as_json
@options.run_dir
def show(*, file: Path | None, catalog_dir: Path, as_json: bool, run_dir: Path) -> None:
    """Show what a policy comes to on this host.

    The rules in the order in which they are asked, the first that is about an
    attempt wins: the mode that each comes to, for whom it holds, and how long
    its exceptions do. Without FILE it is the one that the daemon keeps, or where
    none runs, /etc/agent-sensor/policy.toml. Where a daemon keeps this file, what
    `block add` put before its rules is shown first, to root.

    \b
    Examples:
      agent-sensor policy show
      agent-sensor policy show policy.toml --json | jq '.rules[] | .id'
    """
    file = file or _kept_at(run_dir) or policies.DEFAULT
    found, accounts, known = _read(file, catalog_dir)
    now = _now()
    printer = Printer(stdout(as_json=as_json), as_json=as_json, all_children=True, color="never")
    blocks = _blocks(run_dir, file)
    if as_json:
        printer.write(json.dumps({**as_dict(found, now), "blocks": blocks}))
    else:
        for held in blocks or ():
            printer.write(f"before all rules: {block.line(held)}")
        for line in lines(found, now):
            printer.write(line)
    printer.flush()
    for one in warnings(found, accounts, now, known):
        chrome.say(one)


@policy.command(short_help="Say what a policy would have refused.")
@click.argument("file", type=_FILE)
@choosing.since_yesterday
@choosing.until
@options.catalog_dir
@options.as_json
@options.run_dir
@options.state_dir
def test(
    *,
    file: Path,
    since: str,
    until: str | None,
    catalog_dir: Path,
    as_json: bool,
    run_dir: Path,
    state_dir: Path,
) -> None:
    """Say what a policy would have refused.

    Judges what is stored as if all of the policy were enforced: executions and
    connections, counted by rule, user and host. The mode is the one that the rule
    has in the file. Exceptions count as they stand now. What `prove` tried is left
    out. JSON is one object a line, the last one being the sum.

    \b
    Examples:
      agent-sensor policy test policy.toml --since 7d
      agent-sensor policy test policy.toml --since 7d --json | jq .rule
    """
    found, *_ = _read(file, catalog_dir)
    first, last = window(since, until)
    replay = Replay(found, _now())
    printer = Printer(stdout(as_json=as_json), as_json=as_json, all_children=True, color="never")
    with source_at(run_dir, state_dir) as source:
        for event in source.events(Filter(kinds=frozenset({Kind.SESSION_START.value}))):
            replay.start(event)
        for event in chrome.counted(source.events(Filter(kinds=KINDS), since=first, until=last)):
            replay.take(event)
    groups = replay.groups()
    if as_json:
        for group in groups:
            printer.write(json.dumps(group.as_dict(), ensure_ascii=False))
        left = {"not_judged": dict(replay.unjudged), "proofs": replay.proofs}
        printer.write(json.dumps({"judged": replay.judged, **left}))
    elif groups:
        printer.write("\n".join(table(HEADS, [group.texts() for group in groups])))
    printer.flush()
    _remark(replay)


@policy.command(name="reload", short_help="Have the daemon read its policy again.")
@options.as_json
@options.run_dir
def reload_policy(*, as_json: bool, run_dir: Path) -> None:
    """Have the daemon read its policy again.

    As SIGHUP does, and says what came of it. A file that would not be taken leaves
    the policy in force that was. For root alone.

    \b
    Examples:
      agent-sensor policy reload
      agent-sensor policy check /etc/agent-sensor/policy.toml && agent-sensor policy reload
    """
    with daemon_at(run_dir) as connection:
        told = connection.control("policy_reload")
    printer = Printer(stdout(as_json=as_json), as_json=as_json, all_children=True, color="never")
    rules = count(int(str(told["rules"])), "rule", "rules")
    if blocks := int(str(told["blocks"])):
        rules += f", {count(blocks, 'block', 'blocks')}"
    line = f"in force: {quote_path(str(told['file']))}, {rules}, generation {told['generation']}"
    printer.write(json.dumps(told) if as_json else line)
    printer.flush()


def _remark(replay: Replay) -> None:
    refused = sum(one.executions + one.connections for one in replay.groups())
    attempts = count(replay.judged, "attempt", "attempts")
    chrome.say(f"{refused} of {attempts} would have been refused")
    for why, amount in replay.unjudged.most_common():
        chrome.say(f"not judged: {count(amount, 'attempt', 'attempts')}: {why}")
    if replay.proofs:
        proofs = count(replay.proofs, "attempt", "attempts")
        chrome.say(f"left out: {proofs} of `agent-sensor prove`, which are nobody's")
    chrome.say(
        "names from DNS are taken for what was meant, and their resolvers for trusted;"
        " processes in no session are stored where a policy had something against them"
    )


def _kept_at(run_dir: Path) -> Path | None:
    """Ask which file a daemon keeps; None where there is none, or no daemon that says so."""
    try:
        with daemon_at(run_dir) as connection:
            return _file_of(connection.status())
    except NoDaemonError:
        return None
    except SensorError as problem:
        chrome.say(f"whether the daemon keeps another file is not known: {problem}")
        return None


def _blocks(run_dir: Path, file: Path) -> list[dict[str, object]] | None:
    """Ask for the blocks in force beside this file; None where that is not known."""
    try:
        with daemon_at(run_dir) as connection:
            status = connection.status()
            said, kept = status.get("policy"), _file_of(status)
            if not isinstance(said, dict) or not kept or kept.resolve() != file.resolve():
                return None
            found = connection.control("block_ls")["blocks"] if said.get("blocks") else []
    except NoDaemonError:
        return None
    except SensorError as problem:
        chrome.say(f"blocks that may be in force beside it are not shown: {problem}")
        return None
    return found if isinstance(found, list) else None


def _file_of(status: Mapping[str, object]) -> Path | None:
    said = status.get("policy")
    return Path(str(said["file"])) if isinstance(said, dict) else None


def _read(file: Path, catalog_dir: Path) -> tuple[Policy, Accounts, Catalogue]:
    """Read a policy as this host would take it. Raises BadInputError where it would not."""
    known = catalogue(catalog_dir)
    found = policies.read(file, known)
    accounts = policies.accounts_of(found)
    compile_tables(found, known, accounts=accounts, resolvers=(), wall_offset_ns=0)
    return settled(found, accounts), accounts, known


def _now() -> datetime:
    return datetime.now(UTC)
