# SPDX-License-Identifier: Apache-2.0
"""Every event has its number and its time."""

from __future__ import annotations

from support.story import SECOND, StoryHost

from sensor.core.numbering import Numbering


def test_events_are_numbered_and_dated() -> None:
    """The host's offset turns nanoseconds since boot into a time of day."""
    numbering = Numbering(StoryHost(), 1)
    first, second = (numbering.head(SECOND + 5) for _ in range(2))
    assert (first["seq"], second["seq"]) == (1, 2)
    assert (first["v"], first["host"], first["boot_id"]) == (1, "build-7", StoryHost.boot_id)
    assert (first["at"], first["at_ns"]) == ("2026-11-23T14:00:01.000000005Z", SECOND + 5)


def test_numbers_go_on_where_another_run_ended() -> None:
    """The first event has the number that was asked for."""
    assert Numbering(StoryHost(), 41).head(5)["seq"] == 41
