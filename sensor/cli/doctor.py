# SPDX-License-Identifier: Apache-2.0
"""``doctor``: what this host lets the sensor see, and what is missing for the rest."""

from __future__ import annotations

import json
import sys

import click

from sensor.cli import options


@click.command(short_help="Ask this kernel what it lets the sensor see.")
@options.as_json
def doctor(*, as_json: bool) -> None:
    """Ask this kernel what it lets the sensor see.

    Feature by feature it says what each feature is good for, what its absence costs, and what to do
    about it. Leaves nothing attached. Runs without root too, and says what it
    could not look at.

    Ends with 0 when nothing that `watch` uses is known to be missing, 6 when
    something optional is, 4 when `watch` cannot run here. What `run` needs
    beyond that, a bpffs, is named in the last line where it is missing.

    \b
    Examples:
      sudo agent-sensor doctor
      agent-sensor doctor --json | jq -r '.features[] | select(.state != "yes") | .name'
    """
    from sensor.daemon.checkup import checkup  # reads BTF: only here

    found = checkup()
    if as_json:
        click.echo(json.dumps(found.as_dict()))
    else:
        click.echo("\n".join(found.lines))
    sys.exit(found.verdict.exit_code)
