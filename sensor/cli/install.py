# SPDX-License-Identifier: Apache-2.0
"""``install`` and ``uninstall``: the service, its configuration and its group."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import click

from sensor.cli import chrome, settings
from sensor.core import installation
from sensor.daemon.instance import Instance
from sensor.edge import mounts
from sensor.edge.installer import Installer, strangers, texts
from sensor.errors import BadInputError, UnsupportedError

_ROOT = click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("/"),
    metavar="DIR",
    help="Install into an image below DIR; no command is run.",
)
_PREFIX = click.option(
    "--prefix",
    default=sys.prefix,
    show_default="that of this command",
    metavar="DIR",
    help="The service starts DIR/bin/agent-sensor.",
)


@click.command(short_help="Make a service of this program.")
@_ROOT
@_PREFIX
def install(*, root: Path, prefix: str) -> None:
    """Put unit, configuration, group and folders in place.

    Nothing is started. A configuration that was changed stays as it is, and
    the new one is put beside it as `.new`. Running it twice changes nothing.

    \b
    Examples:
      sudo agent-sensor install && sudo systemctl enable --now agent-sensor
      agent-sensor install --root /mnt/image --prefix /opt/agent-sensor
    """
    installer = Installer(root)
    if installer.live:
        _check(Path(prefix))
    for line in installer.install(installation.files(texts(), prefix=prefix)):
        click.echo(line)
    if installer.live:
        click.echo(installation.after_install(systemd=installer.systemd), err=True)


def _check(prefix: Path) -> None:
    """Refuse a service that would run as root what somebody else can change."""
    for program in (prefix / "bin/agent-sensor", Path(__file__).resolve()):
        try:
            place = strangers(program.resolve())
        except FileNotFoundError as problem:
            raise BadInputError(f"{program}: there is no such program; check --prefix") from problem
        if place:
            raise BadInputError(
                f"{place} is not root's alone, and the service would run {program} as root:"
                " install agent-sensor into a folder of root's (make install), and call it there"
            )


@click.command(short_help="Take away what `install` put in place.")
@_ROOT
@_PREFIX
@click.option("--purge", is_flag=True, help="Events, policy, changed files and the group too.")
def uninstall(*, root: Path, prefix: str, purge: bool) -> None:
    """Stop the service and take away what `install` put in place.

    What people decided or the daemon stored stays, and is named: policy, a
    changed configuration, stored events, a group that has members.

    \b
    Examples:
      sudo agent-sensor uninstall
      sudo agent-sensor uninstall --purge
    """
    installer = Installer(root)
    scope = _scope() if installer.live else None  # before its file is taken away
    for line in installer.uninstall(installation.files(texts(), prefix=prefix), purge=purge):
        click.echo(line)
    if installer.live:
        _remove_pins(scope)


def _scope() -> Path | None:
    """Give the scope of the configuration, if it names one; a text that is wrong keeps nothing."""
    try:
        return settings.scope_of(None, None)
    except BadInputError as problem:
        chrome.say(f"taken for the whole host's: {problem}")
        return None


def _remove_pins(scope: Path | None) -> None:
    """Take away what `run`, killed or with --keep, or `load` left attached: to this, and to all."""
    with suppress(UnsupportedError):  # without bpffs or cgroup2 there can be none
        bpffs, run_dir, top = mounts.bpffs(), Path(installation.RUN_DIR), mounts.cgroup2()
        # The cgroup itself may be gone by now; its pins are not.
        for where in dict.fromkeys((top, scope.resolve() if scope else top)):
            instance = Instance(bpffs=bpffs, run_dir=run_dir, scope=where)
            if instance.remove():
                click.echo(f"removed {instance.folder}")
