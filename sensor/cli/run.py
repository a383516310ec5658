# SPDX-License-Identifier: Apache-2.0
"""``run``: the daemon, in the foreground of whoever starts it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from sensor.cli import options
from sensor.core.config import Config, parse
from sensor.daemon.standby import DEFAULT
from sensor.errors import BadInputError

DEFAULT_CONFIG = Path("/etc/agent-sensor/config.toml")


@click.command(short_help="Keep and tell: the daemon for build hosts.")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Default: {DEFAULT_CONFIG}, where it is there.",
)
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
    """  # noqa: D301  # click reads the \b
    from sensor.daemon.run import Daemon, Places  # noqa: PLC0415  # the store: only here

    settings = _config(config)
    if scope is not None:
        settings = replace(settings, scope=str(scope))
    if policy is not None:
        settings = replace(settings, policy=str(policy))
    places = Places(state_dir=state_dir, run_dir=run_dir, bpffs=bpffs, catalog=catalog_dir)
    Daemon(settings, places, say=lambda text: click.echo(text, err=True)).run(keep=keep)


def _config(path: Path | None) -> Config:
    """Read the file that was named; the one in its usual place may be missing."""
    if path is None and not DEFAULT_CONFIG.exists():
        return Config()
    path = path or DEFAULT_CONFIG
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInputError(f"{path}: {problem}; name a readable file with --config") from problem
    return parse(text, where=str(path))
