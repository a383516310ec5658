# SPDX-License-Identifier: Apache-2.0
"""What is pinned beside an instance, by the options that name it; pins have a fingerprint."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.quote import quote
from sensor.daemon.instance import Instance, Pins
from sensor.daemon.standby import is_in_force
from sensor.edge import mounts, system
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Iterable


def others(instance: Instance, run_dirs: Iterable[Path], *, top: Path) -> list[str]:
    """Say which other instances are pinned, and by which options ``unload`` finds each.

    A fingerprint cannot be read: it is tried with these run directories, and the
    cgroups that there are.
    """
    found = instance.others()
    if not found:
        return []
    bpffs, named = instance.folder.parent.parent, {}
    for run_dir in run_dirs:
        for folder, _, _ in os.walk(top):
            one = Instance(bpffs=bpffs, run_dir=run_dir, scope=Path(folder))
            named[one.folder] = (run_dir, Path(folder))
    return [_said(folder, named.get(folder), top) for folder in found]


def left_by(run_dir: Path, *, top: Path, scope: Path | None) -> str | None:
    """Say what a daemon of this run directory that was killed left attached; None for nothing.

    ``scope`` is the one that ``unload`` takes where it is given none, None where it cannot tell.
    """
    if not run_dir.exists() or system.holder(run_dir) is not None:  # somebody begins, or ends
        return None
    for bpffs in mounts.every_bpffs():
        for folder, _, _ in os.walk(top):
            one = Instance(bpffs=bpffs, run_dir=run_dir, scope=Path(folder))
            # Where all may write to a bpffs, anybody may have made such a folder.
            if pins := [each for each in one.versions() if each.stat().st_uid == 0]:
                does = "are still attached"
                if any(map(_refuses, pins)):
                    does += " and go on refusing what its policy refuses"
                options = {"--run-dir": str(run_dir)}
                if Path(folder) != scope:
                    options["--scope"] = folder
                if bpffs != mounts.BPFFS:
                    options["--bpffs"] = str(bpffs)
                return f"its probes {does}; {_unload(options)} takes them away"
    return None


def _refuses(pins: Path) -> bool:
    """Tell whether a policy is in force there, as far as these pins can say."""
    try:
        return is_in_force(Pins(pins))
    except SensorError:
        return False


def _unload(options: dict[str, str]) -> str:
    """Write the command as a shell takes it."""
    if not all(value.isprintable() for value in options.values()):
        places = ", ".join(f"{name} {quote(value)}" for name, value in options.items())
        return f"agent-sensor unload with {places}"
    words = [word for option in options.items() for word in option]
    return f"`agent-sensor unload {shlex.join(words)}`"


def _said(folder: Path, place: tuple[Path, Path] | None, top: Path) -> str:
    if place is None:
        return (
            f"{quote(str(folder))} (of another --run-dir, or a --scope that is gone;"
            " where no daemon runs on it, rm -r takes it away)"
        )
    run_dir, scope = place
    options = f"--run-dir {quote(str(run_dir))}"
    options += f" --scope {quote(str(scope))}" if scope != top else ", the whole host"
    held = ", in use by a daemon" if system.is_held(run_dir) else ""
    return f"{quote(str(folder))} ({options}{held})"
