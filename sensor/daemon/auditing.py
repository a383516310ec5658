# SPDX-License-Identifier: Apache-2.0
"""An audit with what the sensor has seen: residue and sessions in one ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.audit.atlas import Atlas
from sensor.core.audit.sessions import traces_of
from sensor.core.filter import Filter
from sensor.core.quote import quote
from sensor.daemon.audit import Audit
from sensor.daemon.catalogues import catalogue
from sensor.errors import BadInputError, NoDaemonError, SensorError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sensor.core.audit.findings import Ledger
    from sensor.core.catalogue import Catalogue
    from sensor.daemon.audit import Looked, Wanted


def audited(
    wanted: Wanted,
    *,
    tools: frozenset[str] = frozenset(),
    show: Callable[[int], None],
    places: tuple[Path, Path] | None,
    say: Callable[[str], None],
) -> tuple[Ledger, Looked]:
    """Audit this host or an image; ``places`` are the run and state folder of the sensor.

    Raises BadInputError for a tool, home or root that is not there.
    """
    known = catalogue()
    _check(known, tools)
    audit = Audit(Atlas(known, only=tools), show=show)
    audit.run(wanted)
    if places:
        _join(audit, *places, tools=tools, say=say)
    return audit.ledger, audit.looked


def _check(known: Catalogue, tools: frozenset[str]) -> None:
    for tool in sorted(tools):
        if known.tool(tool) is None:
            raise BadInputError(
                f"--tool {quote(tool)}: no such tool; agent-sensor catalog ls lists them"
            )


def _join(
    audit: Audit, run_dir: Path, state_dir: Path, *, tools: frozenset[str],
    say: Callable[[str], None],
) -> None:  # fmt: skip
    """Add the sessions that are stored. Without any there is nothing to add, which is said."""
    from sensor.daemon import reading, searching  # noqa: PLC0415  # the store: only here

    try:
        source = reading.opened(
            run_dir=run_dir, state_dir=state_dir, remark=lambda _one: None, say=say
        )
    except NoDaemonError:
        say("no sessions to join: the sensor does not run here, and has no store that you can read")
        return
    except SensorError as problem:
        say(f"no sessions joined: {problem}")
        return
    try:
        runs = searching.runs(source, Filter(tools=tools), since=None, until=None)
        for user, uid, trace in traces_of(runs):
            audit.add(user, uid, trace)
    finally:
        source.close()
