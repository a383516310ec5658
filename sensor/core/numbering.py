# SPDX-License-Identifier: Apache-2.0
"""Numbering: what every event begins with, whoever tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from sensor.core.wall import rfc3339

if TYPE_CHECKING:
    from sensor.core.host import Host

VERSION = 1
"""Of the table of names in docs/events.md."""


class Head(TypedDict):
    """The fields that every event has."""

    v: int
    seq: int
    boot_id: str
    host: str
    at: str
    at_ns: int


class Numbering:
    """Counts the events of one run of the sensor from ``first_seq``, and dates them."""

    def __init__(self, host: Host, first_seq: int) -> None:
        self._host = host
        self._seq = first_seq - 1

    def head(self, at_ns: int) -> Head:
        """Begin the next event, of something that happened at this time since boot."""
        self._seq += 1
        return {
            "v": VERSION,
            "seq": self._seq,
            "boot_id": self._host.boot_id,
            "host": self._host.name,
            "at": rfc3339(at_ns + self._host.wall_offset_ns),
            "at_ns": at_ns,
        }
