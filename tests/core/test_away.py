# SPDX-License-Identifier: Apache-2.0
"""A reader says what it knows of what it missed, and claims no more."""

from __future__ import annotations

import pytest

from sensor.core.away import Back, Garbled, Gone, Missed, Remark
from sensor.core.event import Event, Kind, Lack

LEFT, BACK = "2026-11-23T14:03:07.5Z", "2026-11-23T14:03:22.1Z"
AWAY = "daemon was away from 14:03:07 to 14:03:22; "


def clock(at: str) -> str:
    """Write the time of day."""
    return at[11:19]


def gap(lack: Lack | None, reason: str | None = "the sensor was not running") -> Event:
    """Return what the daemon says of a time that it missed."""
    return Event(
        v=1, seq=9, boot_id="b", host="h", at=BACK, at_ns=9, kind=Kind.GAP, gap=lack, reason=reason
    )


def back(*gaps: Event, last_seq: int = 7, newest: int = 9) -> Back:
    """Return what is known when the daemon is back."""
    return Back(left_at=LEFT, back_at=BACK, last_seq=last_seq, newest=newest, gaps=gaps)


@pytest.mark.parametrize(
    ("remark", "text"),
    [
        (Gone(LEFT), "daemon is away since 14:03:07; waiting for it"),
        (back(), f"{AWAY}nothing is missing"),
        (
            back(gap(Lack(LEFT, BACK))),
            (
                f"{AWAY}from 14:03:07 to 14:03:22 something may be missing: "
                '"the sensor was not running"'
            ),
        ),
        (
            back(gap(Lack(LEFT, BACK, 8, 20)), gap(None, None)),
            (
                f"{AWAY}from 14:03:07 to 14:03:22 something may be missing, events 8-20 are gone: "
                '"the sensor was not running"; something may be missing: unknown'
            ),
        ),
        (
            back(newest=3),
            f"{AWAY}its stream begins anew: event 7 was seen, its newest is 3",
        ),
        (Missed(120, 180, fetched=True), "events 120-180 were skipped; fetching"),
        (Missed(5, 5, fetched=False), "event 5 was skipped: not stored, or not any more"),
        (
            Garbled("event: kind: unknown \x1b"),
            'an event cannot be read: "event: kind: unknown \\x1b"; is this the same version?',
        ),
    ],
)
def test_a_remark_is_a_sentence(remark: Remark, text: str) -> None:
    """With times as the reader wants them, and nothing hostile in it."""
    assert remark.text(clock) == text


def test_a_stream_begins_anew_when_it_has_less_than_was_seen() -> None:
    """The store was taken away: no seq means what it did."""
    assert back(newest=3).is_anew
    assert not back(newest=7).is_anew
