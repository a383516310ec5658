# SPDX-License-Identifier: Apache-2.0
"""An event is a value that can write its own line."""

from __future__ import annotations

from sensor.core.event import Event, Kind
from sensor.core.line import line


def test_an_event_has_its_line() -> None:
    """The line is made of the event and of nothing else."""
    event = Event(
        v=1,
        seq=1,
        boot_id="b",
        host="h",
        at="2026-11-23T14:03:07.512000000Z",
        at_ns=1,
        kind=Kind.LOSS,
        loss=("exec", 3),
    )
    assert event.line == line(event) == "14:03:07.512  -         -             loss     3 exec lost"
