# SPDX-License-Identifier: Apache-2.0
"""The command ``agent-sensor``: data on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from sensor.core.mistakes import each
from sensor.core.quote import printable, quote
from sensor.errors import ExitCode, NotPermittedError, SensorError

_MODULES = {
    "watch": "watch",
    "run": "run",
    "doctor": "doctor",
    "load": "load",
    "unload": "load",
    "install": "install",
    "uninstall": "install",
    "sockets": "load",
    "deputy": "deputy",
    "searcher": "searcher",
    "block": "block",
    "catalog": "catalog",
    "tail": "tail",
    "sessions": "sessions",
    "query": "query",
    "explain": "explain",
    "status": "status",
    "verify": "verify",
    "policy": "policy",
    "audit": "audit",
    "report": "report",
    "prove": "prove",
}
"""The commands, and where each is: a daemon has no room for all the others."""


class _Sensor(click.Group):
    """The commands, with one way to end where the host refuses a file, a pipe or a disk."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Name the commands."""
        return sorted(_MODULES)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command that somebody asks for."""
        module = _MODULES.get(cmd_name)
        if module is None:
            return None
        command: click.Command = getattr(import_module(f"sensor.cli.{module}"), cmd_name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what stands before the command. Raises UsageError that says what belongs behind."""
        given = [*args]
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as problem:
            raise self._misplaced(ctx, given, problem) from problem

    def _misplaced(
        self, ctx: click.Context, args: list[str], problem: click.NoSuchOption
    ) -> click.UsageError:
        """Say where an option belongs, if a command that is named behind it has one of the name."""
        for at, word in enumerate(args):
            command = self.get_command(ctx, word) if not word.startswith("-") else None
            if command is None:
                continue
            known = {name for one in command.params for name in one.opts}
            if problem.option_name in known:
                rest = " ".join(map(quote, [word, *args[:at], *args[at + 1 :]]))
                return click.UsageError(
                    f"{problem.option_name} belongs behind the command: agent-sensor {rest}",
                    ctx=ctx,
                )
        return problem

    def invoke(self, ctx: click.Context) -> object:
        """Run a command. Raises SensorError for what the operating system refuses."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Whoever read stdout has gone, which is how a pipeline ends.
            return ctx.exit(ExitCode.OK)
        except OSError as problem:
            kind = NotPermittedError if isinstance(problem, PermissionError) else SensorError
            raise kind(_told(problem)) from problem


def _told(problem: OSError) -> str:
    where = f"{problem.filename}: " if problem.filename else ""
    remedy = "run it as root" if isinstance(problem, PermissionError) else "mend that and run again"
    return f"{where}{problem.strerror or problem}; {remedy}"


def _drain_stdout() -> None:
    """Write what stdout still holds; what cannot be written goes nowhere, at exit neither."""
    try:
        print(end="", flush=True)  # which a closed stdout does not mind
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=_Sensor, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="agent-sensor")
def cli() -> None:
    """See what AI coding tools do on this host, from the kernel.

    \b
    Examples:
      agent-sensor watch              every AI tool, live, until Ctrl-C
      agent-sensor doctor             what this kernel lets the sensor see
    """


def main() -> NoReturn:
    """Run the command line; a SensorError becomes its sentences and its exit code."""
    try:
        cli(prog_name="agent-sensor")
    except SensorError as problem:
        for one in each(problem):
            click.echo(f"agent-sensor: {printable(one)}", err=True)
        sys.exit(problem.exit_code)
    finally:
        _drain_stdout()
    sys.exit(ExitCode.OK)
