# SPDX-License-Identifier: Apache-2.0
"""Options that several commands have, once."""

from __future__ import annotations

from pathlib import Path

import click

# Who may read it is for the kernel to say, in a sentence with a remedy.
_DIRECTORY = click.Path(file_okay=False, readable=False, path_type=Path)

RUN_DIR = Path("/run/agent-sensor")
"""Where the daemon that the service starts has its socket."""

scope = click.option(
    "--scope",
    type=_DIRECTORY,
    metavar="CGROUP",
    help="Look only below this cgroup2 directory. Default: the whole host.",
)
unload_scope = click.option(
    "--scope",
    type=_DIRECTORY,
    metavar="CGROUP",
    help="The --scope that the probes were attached with. Default: the whole host.",
)
run_dir = click.option(
    "--run-dir",
    type=_DIRECTORY,
    default=RUN_DIR,
    show_default=True,
    help="Names the instance; several live side by side.",
)
state_dir = click.option(
    "--state-dir",
    type=_DIRECTORY,
    default=Path("/var/lib/agent-sensor"),
    show_default=True,
    help="Where the store is.",
)
bpffs = click.option(
    "--bpffs",
    type=_DIRECTORY,
    default=Path("/sys/fs/bpf"),
    show_default=True,
    help="Where the pins go.",
)
catalog_dir = click.option(
    "--catalog-dir",
    type=_DIRECTORY,
    default=Path("/etc/agent-sensor/catalog.d"),
    show_default=True,
    help="Files that add to the catalogue.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
