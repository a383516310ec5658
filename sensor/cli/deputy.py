# SPDX-License-Identifier: Apache-2.0
"""``deputy``: the process that does for the daemon what takes rights. The daemon starts it."""

from __future__ import annotations

from pathlib import Path

import click

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(hidden=True)
@click.option("--channel", type=int, required=True)
@click.option("--parent", type=int, required=True)
@click.option("--pins", type=_FOLDER, required=True)
@click.option("--scope", type=_FOLDER, required=True)
def deputy(*, channel: int, parent: int, pins: Path, scope: Path) -> None:
    """Carry out the orders of the daemon that started this process."""
    from sensor.daemon.keeper import run  # only here

    run(channel, daemon=parent, pins=pins, scope=scope)
