# SPDX-License-Identifier: Apache-2.0
"""Sessions as traces: what the sensor has seen run is certain, whatever was removed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.audit.trace import Trace
from sensor.core.audit.words import Certainty, Shows, Source
from sensor.core.wall import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sensor.core.sessionbook import Run


def traces_of(runs: Iterable[Run]) -> Iterator[tuple[str | None, int | None, Trace]]:
    """Sum sessions up by user, tool and program; gives name and uid with each trace.

    Those of `prove` are nobody's.
    """
    groups: dict[tuple[str | None, int | None, str, str], list[int]] = {}
    for run in runs:
        if run.tool is None or run.is_proof:
            continue
        process = run.process
        user, uid = (process.user, process.uid) if process else (None, None)
        path = (process.script or process.exe if process else None) or "-"
        first, last = instant(run.started_at or run.first_at), instant(run.last_at)
        group = groups.setdefault((user, uid, run.tool, path), [0, first, last])
        groups[user, uid, run.tool, path] = [
            group[0] + 1,
            min(group[1], first),
            max(group[2], last),
        ]
    for (user, uid, tool, path), (count, first, last) in groups.items():
        yield (
            user,
            uid,
            Trace(
                tool=tool,
                source=Source.SESSION,
                shows=Shows.USED,
                certainty=Certainty.CERTAIN,
                path=path,
                first_ns=first,
                last_ns=last,
                count=count,
            ),
        )
