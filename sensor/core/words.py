# SPDX-License-Identifier: Apache-2.0
"""The words of the stream: closed sets, whose values are what every output shows."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What an event tells."""

    EXEC = "exec"
    EXIT = "exit"
    CONNECT = "connect"
    CLOSE = "close"
    RESOLVE = "resolve"
    SESSION_START = "session_start"
    SESSION_END = "session_end"
    LOSS = "loss"
    GAP = "gap"
    INVENTORY = "inventory"


class Verdict(Enum):
    """What policy said; observation alone never goes beyond ``ALERT``."""

    ALLOW = "allow"
    ALERT = "alert"


class NameSource(Enum):
    """Where a destination's name comes from."""

    DNS = "dns"
    RANGE = "range"
