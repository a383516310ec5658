# SPDX-License-Identifier: Apache-2.0
"""``prove``: the ways around a policy, tried one after another against the one in force."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from sensor.cli import chrome, options
from sensor.cli.printer import Printer, stdout
from sensor.core.proof.page import lines, summary
from sensor.core.proof.technique import exit_code
from sensor.errors import SensorError

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Try every way around the policy in force.")
@options.as_json
@options.run_dir
def prove(*, as_json: bool, run_dir: Path) -> None:
    """Try every way around the policy in force.

    Renamed and copied tools, interpreters, memory, other system calls, names that
    nobody looked up: each is tried in a cgroup and a network of its own, and held
    to what the policy says. Nothing leaves, and nothing stays but the events. Ends
    with 0 when all is as expected and with 6 when something is not. Takes root and
    less than a minute.

    \b
    Examples:
      sudo agent-sensor prove
      sudo agent-sensor prove --json | jq -r '.[] | select(.expected != .result)'
    """
    from sensor.daemon.bypassing import prove as try_all  # much: only here

    try:
        with chrome.progress("trying technique") as show:
            rows = try_all(run_dir, show=show)
    except KeyboardInterrupt:
        raise SensorError("interrupted: nothing is proved, and nothing is left behind") from None
    printer = Printer(stdout(as_json=as_json), as_json=as_json, all_children=True, color="never")
    if as_json:
        printer.write(json.dumps([row.as_dict() for row in rows], ensure_ascii=False))
    else:
        for line in lines(rows):
            printer.write(line)
    printer.flush()
    for said in summary(rows):
        chrome.say(said)
    sys.exit(exit_code(rows))
