# SPDX-License-Identifier: Apache-2.0
"""``run``: the daemon, in the foreground of whoever starts it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from sensor.cli import options, settings
from sensor.daemon.standby import DEFAULT


@click.command(short_help="Keep and tell: the daemon for build hosts.")
@settings.config
@click.option(
    "--policy",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help=f"Keep this policy. Default: {DEFAULT}, where it is there.",
)
@options.state_dir
@options.run_dir
@options.bpffs
@options.scope
@options.catalog_dir
@click.option("--keep", is_flag=True, help="Leave the probes attached at the end.")
def run(
    *,
    config: Path | None,
    policy: Path | None,
    state_dir: Path,
    run_dir: Path,
    bpffs: Path,
    scope: Path | None,
    catalog_dir: Path,
    keep: bool,
) -> None:
    """Record what AI tools do, store it, and tell readers live.

    With a policy, what it refuses does not happen. SIGHUP reads it again, and
    the catalogue.
    Ctrl-C and SIGTERM are a clean end, which detaches the probes. A kill leaves
    them, and what is refused: the next start goes on, `agent-sensor unload` ends it.

    \b
    Examples:
      agent-sensor run
      agent-sensor run --policy /etc/agent-sensor/policy.toml
      agent-sensor run --scope /sys/fs/cgroup/build.slice --state-dir /tmp/state --run-dir /tmp/run
    """
    from sensor.daemon.run import Daemon, Places  # the store: only here

    wanted = settings.settings(config)
    if scope is not None:
        wanted = replace(wanted, scope=str(scope))
    if policy is not None:
        wanted = replace(wanted, policy=str(policy))
    places = Places(state_dir=state_dir, run_dir=run_dir, bpffs=bpffs, catalog=catalog_dir)
    Daemon(wanted, places, say=lambda text: click.echo(text, err=True)).run(keep=keep)
