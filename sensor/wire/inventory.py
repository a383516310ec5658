# SPDX-License-Identifier: Apache-2.0
"""Findings of an audit from the wire: within an event, and as the audit's worker prints them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sensor.core.facts import Found
from sensor.core.inventory import Clue, Inventory
from sensor.errors import FrameError
from sensor.wire.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_LINE_BYTES = 1 << 20
"""Of the worker: a finding keeps so few traces that it is far below."""


def inventory_of(raw: Fields) -> Inventory:
    """Read what ``core.inventory.as_dict`` wrote. Raises FrameError."""
    return Inventory(
        user=raw.maybe("user", str),
        uid=raw.maybe("uid", int),
        home=raw.maybe("home", str),
        place=raw.maybe("place", str),
        state=raw.need("state", str),
        certainty=raw.need("certainty", str),
        first_seen=raw.maybe("first_seen", str),
        last_used=raw.maybe("last_used", str),
        versions=raw.texts("versions"),
        traces=raw.parts("traces", _clue),
        traces_left_out=raw.need("traces_left_out", int),
    )


def _clue(raw: Fields) -> Clue:
    return Clue(
        kind=raw.need("kind", str),
        shows=raw.need("shows", str),
        certainty=raw.need("certainty", str),
        path=raw.need("path", str),
        first_at=raw.maybe("first_at", str),
        last_at=raw.maybe("last_at", str),
        version=raw.maybe("version", str),
        count=raw.maybe("count", int),
        note=raw.maybe("note", str),
        shared_with=raw.texts("shared_with"),
    )


class Lines:
    """Makes facts of the worker's output, however it is cut; ``now_ns`` is since boot."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._rest = b""

    def take(self, part: bytes) -> list[Found]:
        """Take what was read. Raises FrameError for what is no finding."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        if len(self._rest) > LONGEST_LINE_BYTES:
            raise FrameError(f"finding: expected at most {LONGEST_LINE_BYTES} bytes a line")
        return [self._fact(line) for line in lines if line]

    def _fact(self, line: bytes) -> Found:
        try:
            plain = json.loads(line)
        except (ValueError, RecursionError) as problem:
            raise FrameError(f"finding: expected JSON, got something else ({problem})") from problem
        if not isinstance(plain, dict):
            raise FrameError("finding: expected an object")
        raw = Fields("finding", plain)
        return Found(
            at_ns=self._now_ns(),
            tool=raw.need("tool", str),
            vendor=raw.maybe("vendor", str),
            inventory=inventory_of(raw),
        )
