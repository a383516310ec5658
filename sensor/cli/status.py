# SPDX-License-Identifier: Apache-2.0
"""``status``: how the daemon is, for people and for monitoring."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from sensor.cli import options, settings
from sensor.cli.printer import Printer, stdout
from sensor.core.condition import exit_code, lines
from sensor.errors import NoDaemonError, SensorError

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Say how the daemon is; the exit code is for monitoring.")
@options.as_json
@options.run_dir
def status(*, as_json: bool, run_dir: Path) -> None:
    """Say how the daemon is, for people and for monitoring.

    Shows what it watches with, what it lost, its store and its readers. Ends with 0
    when all is well, 6 when something is wrong or missing, which the first lines
    name, and 1 when no daemon runs; to root it says then what a killed one left
    attached.

    \b
    Examples:
      agent-sensor status
      agent-sensor status --json | jq -e '.problems == []'
    """
    from sensor.daemon.reading import SOCKET  # msgpack: only here
    from sensor.edge.hubclient import Connection

    printer = Printer(stdout(as_json=as_json), as_json=as_json, all_children=True, color="never")
    try:
        with Connection(run_dir / SOCKET) as connection:
            hello, told = connection.hello, connection.status()
    except NoDaemonError as problem:
        if left := _left(run_dir):
            raise NoDaemonError(f"{problem}; {left}") from problem
        raise
    told = {"host": hello.host, "boot_id": hello.boot_id, "newest_seq": hello.seq, **told}
    if as_json:
        printer.write(json.dumps(told, ensure_ascii=False))
    else:
        for line in lines(told):
            printer.write(line)
    printer.flush()
    sys.exit(exit_code(told))


def _left(run_dir: Path) -> str | None:
    """Say what a daemon that was killed left attached, as far as whoever asks may see it."""
    from sensor.daemon import beside  # libbpf: only here
    from sensor.edge import mounts

    with suppress(OSError, SensorError):
        top = mounts.cgroup2()
        try:
            given = settings.scope_of(None, None)
        except SensorError:  # nor can `unload` read it
            return beside.left_by(run_dir, top=top, scope=None)
        return beside.left_by(run_dir, top=top, scope=given.resolve() if given else top)
    return None
