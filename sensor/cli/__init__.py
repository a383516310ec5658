# SPDX-License-Identifier: Apache-2.0
"""The command ``agent-sensor``: data on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from sensor.cli.doctor import doctor
from sensor.cli.load import load, sockets, unload
from sensor.cli.watch import watch
from sensor.errors import ExitCode, SensorError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="agent-sensor")
def cli() -> None:
    r"""See what AI coding tools do on this host, from the kernel.

    \b
    Examples:
      agent-sensor watch              every AI tool, live, until Ctrl-C
      agent-sensor doctor             what this kernel lets the sensor see
    """


for _command in (watch, doctor, load, unload, sockets):
    cli.add_command(_command)


def main() -> NoReturn:
    """Run the command line; a SensorError becomes one sentence and its exit code."""
    try:
        cli(prog_name="agent-sensor")
    except SensorError as problem:
        click.echo(f"agent-sensor: {problem}", err=True)
        sys.exit(problem.exit_code)
    except BrokenPipeError:
        # Whoever read stdout has gone. Nothing more can be written there, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.OK)
    sys.exit(ExitCode.OK)
