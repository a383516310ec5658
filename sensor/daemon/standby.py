# SPDX-License-Identifier: Apache-2.0
"""What a daemon has to know of policy while it has none: where one would be, and what is left."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.daemon.instance import Pins
from sensor.daemon.state import Slot, State
from sensor.edge import system
from sensor.errors import SensorError
from sensor.wire.programs import ON_DEMAND

if TYPE_CHECKING:
    from sensor.daemon.instance import Instance

DEFAULT = Path("/etc/agent-sensor/policy.toml")
"""Where policy is, unless another file is named."""

KEPT = "blocks.json"
"""The file in the state directory that has what responders block."""

IN_FORCE = "in-force.json"
"""The file in the state directory that says what numbers mean by the policy in force."""


def wanted(named: Path | None, default: Path, state_dir: Path) -> Path | None:
    """Say which file has the policy, None where there is neither that nor a block.

    One that was ``named`` has to be there.
    """
    if named is not None:
        return named
    return default if default.exists() or _has_blocks(state_dir / KEPT) else None


def _has_blocks(path: Path) -> bool:
    """Tell whether anything is blocked; what is damaged has to be looked at by whoever reads it."""
    try:
        kept = json.loads(path.read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return not isinstance(kept, dict) or kept.get("blocks") != []


def is_in_force(pins: Pins) -> bool:
    """Tell whether a run before has left a policy in force."""
    return State.of(pins)[Slot.POLICY] != 0


def spare(instance: Instance, wanted: str, run_dir: Path) -> None:
    """Raise SensorError where pins of another version than ``wanted`` are not to be retired.

    A daemon that runs stands on them, or one that was killed left its verdicts in them: these
    hold until it is stopped or unloaded, and only the next daemon takes them over without a
    moment in which nothing is refused.
    """
    others = [folder for folder in instance.versions() if folder.name != wanted]
    if others and system.is_held(run_dir):
        raise SensorError(
            f"{others[0]}: agent-sensor runs on these probes, which are of another version;"
            " restart it instead"
        )
    for folder in others:
        if is_in_force(Pins(folder)):
            raise SensorError(
                f"{folder}: what a sensor of another version refuses is in force still;"
                " start agent-sensor run, which takes it over, or agent-sensor unload first"
            )


def release(pins: Pins) -> None:
    """Refuse nothing any more that a run before has left in force."""
    State.of(pins)[Slot.POLICY] = 0
    for program in ON_DEMAND:
        with suppress(FileNotFoundError):
            (pins.folder / f"link_{program.name}").unlink()
