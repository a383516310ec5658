# SPDX-License-Identifier: Apache-2.0
"""The policy that a daemon keeps, as whoever asks it and reads its file finds it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core import blocks
from sensor.core.policy.model import Mode, Policy, settled
from sensor.core.policy.text import with_blocks
from sensor.daemon import policies
from sensor.daemon.catalogues import catalogue
from sensor.edge.resolvers import configured
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sensor.core.catalogue import Catalogue
    from sensor.edge.hubclient import Connection

_BLOCKS_ALONE = Policy(mode=Mode.ENFORCE)


@dataclass(frozen=True, slots=True)
class Live:
    """What is in force. ``scope`` is the daemon's cgroup, ``by_name`` how it ends executions."""

    policy: Policy
    catalogue: Catalogue
    scope: Path
    by_name: str
    newest_seq: int


def ask(connection: Connection) -> Live:
    """Ask a daemon. Raises BadInputError where its file is not what is in force any more."""
    status = connection.status()
    known = _known(status)
    told = status.get("policy")
    ways = status.get("enforcement")
    policy = Policy(mode=Mode.OBSERVE)
    if isinstance(told, dict):
        policy = _in_force(told, connection.control("block_ls"), known)
    return Live(
        policy=policy,
        catalogue=known,
        scope=Path(str(status["scope"])),
        by_name=str(ways.get("exec")) if isinstance(ways, dict) else "none",
        newest_seq=connection.hello.seq,
    )


def _known(status: Mapping[str, object]) -> Catalogue:
    said = status.get("catalogue")
    return catalogue(Path(str(said["directory"]))) if isinstance(said, dict) else catalogue()


def _in_force(told: Mapping[str, object], listed: Mapping[str, object], known: Catalogue) -> Policy:
    file = Path(str(told["file"]))
    kept = _kept(listed)
    whole = blocks.with_sessions(known, kept.sessions())
    if file.exists() or not kept.blocks:
        policy = policies.read(file, known)
        if _is_newer(file, str(told.get("since", ""))):
            raise BadInputError(
                f"{file}: was changed after it was put in force: run agent-sensor policy reload"
            )
    else:
        policy = _BLOCKS_ALONE
    policy = with_blocks(policy, kept.blocks, whole)
    return settled(policy, policies.accounts_of(policy), configured())


def _kept(listed: Mapping[str, object]) -> blocks.Blocks:
    rows = [
        {**row, "number": str(row["id"]).removeprefix("runtime-")}
        for row in listed["blocks"]  # type: ignore[attr-defined]
    ]
    text = json.dumps({"version": blocks.VERSION, "following": len(rows) + 1, "blocks": rows})
    return blocks.blocks_of(text, where="block ls")


def _is_newer(file: Path, since: str) -> bool:
    """Say whether a file was written after the second in which policy was put in force."""
    try:
        began_s = datetime.fromisoformat(since).timestamp()
    except ValueError:
        return False
    return file.stat().st_mtime > began_s + 1
