# SPDX-License-Identifier: Apache-2.0
"""``load`` and ``unload``: probes that stay attached without a sensor; ``sockets`` beside them."""

from __future__ import annotations

import json
import signal
from dataclasses import astuple
from typing import TYPE_CHECKING

import click

from sensor.cli import chrome, options, settings
from sensor.core.quote import quote
from sensor.daemon.instance import Instance
from sensor.edge import mounts, system
from sensor.errors import SensorError
from sensor.wire.programs import OBSERVING, PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Compile, attach and pin the probes, then end.")
@settings.config
@options.scope
@options.run_dir
@options.bpffs
@click.option("--beside", is_flag=True, hidden=True)  # the daemon retires what it finds itself
@click.option("--observes", is_flag=True, hidden=True)  # `watch`, which never has a policy
@options.as_json
def load(
    *,
    config: Path | None,
    scope: Path | None,
    run_dir: Path,
    bpffs: Path,
    beside: bool,
    observes: bool,
    as_json: bool,
) -> None:
    """Compile, attach and pin the probes, then end.

    The probes stay attached until `unload`. Ones that fit this kernel and
    these sources already are used again, without a compile.

    \b
    Examples:
      agent-sensor load
      agent-sensor load --scope /sys/fs/cgroup/build.slice --run-dir /run/sensor-build
    """
    from sensor.daemon import loader, standby  # reads BTF: only here

    # What is half made then is taken away, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    where = mounts.scope(settings.scope_of(config, scope))
    instance = Instance(bpffs=mounts.bpffs(bpffs), run_dir=run_dir, scope=where)
    programs = OBSERVING if observes else PROGRAMS
    if not beside:
        standby.spare(instance, loader.version(loader.probes(), where, programs), run_dir)
    loaded = loader.load(instance, where, programs, say=chrome.say)
    if not beside:
        instance.retire(loaded.pins)
    if as_json:
        answer = {"pins": str(loaded.pins), "reused": loaded.reused, "missing": loaded.missing}
        click.echo(json.dumps(answer))
        return
    click.echo(f"{'reused' if loaded.reused else 'loaded'} {loaded.pins}")
    for name, why in loaded.missing.items():
        click.echo(f"missing {name}: {why}", err=True)


@click.command(short_help="Detach the probes that `load` attached.")
@settings.config
@options.unload_scope
@options.run_dir
@options.bpffs
@click.option("--force", is_flag=True, help="Also from under a daemon that runs, which it blinds.")
def unload(
    *, config: Path | None, scope: Path | None, run_dir: Path, bpffs: Path, force: bool
) -> None:
    """Detach the probes that `load` attached; remove their pins.

    What a sensor that was killed still refuses is refused no longer. Under a daemon
    that runs they stay: it takes them away itself when it is stopped.

    \b
    Examples:
      agent-sensor unload
      agent-sensor unload --run-dir /run/sensor-build --scope /sys/fs/cgroup/build.slice
    """
    from sensor.daemon import beside, proving  # policy: only here

    top, wanted = mounts.cgroup2(), settings.scope_of(config, scope)
    # The cgroup itself may be gone by now; its pins are not.
    where = wanted.resolve() if wanted else top
    instance = Instance(bpffs=mounts.bpffs(bpffs), run_dir=run_dir, scope=where)
    with system.spared(run_dir) as is_free:
        if not (is_free or force):
            raise SensorError(_running(run_dir))
        proving.remove_noted(run_dir, instance.folder.name, top=top)
        found = instance.remove()
    if not found and (left := beside.others(instance, {run_dir, options.RUN_DIR}, top=top)):
        raise SensorError(
            f"nothing at {instance.folder} (--run-dir {quote(str(run_dir))} --scope"
            f" {quote(str(where))}), but other probes are pinned: {'; '.join(left)}"
        )
    click.echo(f"{'removed' if found else 'nothing at'} {instance.folder}")


def _running(run_dir: Path) -> str:
    """Say who runs, and how that is ended."""
    pid = system.holder(run_dir)
    who, stop = (f"process {pid}", f"kill {pid}") if pid else ("a process", "end it")
    return (
        f"{run_dir}: a daemon runs here ({who}), and would see and refuse nothing any more: stop it"
        f" instead (systemctl stop agent-sensor, or {stop}), which takes the probes away too;"
        " --force takes them away from under it"
    )


@click.command(hidden=True)
@click.argument("pid", type=int)
def sockets(*, pid: int) -> None:
    """Print the TCP connections in a process's network namespace as JSON."""
    from sensor.edge.sockdiag import connections  # 20 MB: only here

    click.echo(json.dumps([astuple(one) for one in connections(pid)]))
