# SPDX-License-Identifier: Apache-2.0
"""The command line of the bench."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench import (
    audits,
    bulk,
    events,
    kept,
    kernel_time,
    latency,
    machine,
    packets,
    refusal,
    replay,
    rules,
    starts,
    storm,
    wake_ups,
    wall_clock,
)
from bench.table import put
from bench.workshop import workshop
from sensor.edge.mounts import private_bpffs

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.table import Table
    from bench.workshop import Workshop

PAGE = Path(__file__).parent.parent.parent / "docs" / "overhead.md"
FIGURES: dict[str, Callable[[Workshop], Table]] = {
    "execs": kernel_time.execs,
    "connects": kernel_time.connects,
    "clock": wall_clock.measure,
    "wakeups": wake_ups.measure,
    "memory": events.memory,
    "events": events.measure,
    "replay": replay.measure,
    "latency": latency.measure,
    "starts": starts.measure,
    "kept": kept.measure,
    "held": kept.memory,
    "sizes": kept.sizes,
    "tail": latency.tail,
    "runs": starts.daemons,
    "audit": audits.measure,
    "packets": packets.measure,
    "refusal": refusal.measure,
    "bulk": bulk.measure,
    "rules": rules.measure,
    "storm": storm.measure,
}


@click.command()
@click.option("--quick", is_flag=True, help="About a minute: fewer turns, wider spread.")
@click.option("--full", is_flag=True, help="The audit of 200 homes with 2,000,000 files.")
@click.option("--only", type=click.Choice(list(FIGURES)), multiple=True, help="These alone.")
@click.option("--write", is_flag=True, help="Put the tables into docs/overhead.md.")
def main(*, quick: bool, full: bool, only: tuple[str, ...], write: bool) -> None:
    """Measure what the sensor costs on this machine. Needs root."""
    described = machine.describe()
    click.echo("\n".join(described))
    # Mounts and pins of the bench lie where nobody else sees them, and go with it.
    private_bpffs()
    with workshop(quick=quick, full=full) as shop:
        for name in only or FIGURES:
            measured = FIGURES[name](shop)
            load = f"Load on the machine at the end of this: {machine.load()}."
            table = replace(measured, remarks=(*measured.remarks, load))
            click.echo(f"\n{table.plain()}")
            if write:
                put(PAGE, name, table.markdown())
    if write and not only:
        put(PAGE, "machine", "\n".join(described))
