# SPDX-License-Identifier: Apache-2.0
"""``searcher``: the process that looks into files for the daemon. The daemon starts it."""

from __future__ import annotations

import click


@click.command(hidden=True)
@click.option("--channel", type=int, required=True)
@click.option("--parent", type=int, required=True)
def searcher(*, channel: int, parent: int) -> None:
    """Look into the files that the daemon that started this process asks about."""
    from sensor.daemon.searcher import run  # only here

    run(channel, daemon=parent)
