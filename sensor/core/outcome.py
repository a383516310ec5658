# SPDX-License-Identifier: Apache-2.0
"""Outcomes: how a TCP connection ended, from what the kernel left on its socket."""

from __future__ import annotations

import errno
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sensor.core.facts import Close


class Outcome(StrEnum):
    """How a connection ended; the value is the word in the stream."""

    CLOSED = "closed"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    RESET = "reset"
    FAILED = "failed"


_OF_ERROR = {
    errno.ECONNREFUSED: Outcome.REFUSED,
    errno.ENETUNREACH: Outcome.UNREACHABLE,
    errno.EHOSTUNREACH: Outcome.UNREACHABLE,
    errno.ETIMEDOUT: Outcome.TIMED_OUT,
    errno.ECONNRESET: Outcome.RESET,
    errno.EPIPE: Outcome.RESET,  # net/ipv4/tcp_input.c: a reset after the peer's FIN
}


def outcome_of(fact: Close) -> Outcome:
    """Tell how a connection ended; one given up before it was established has failed."""
    if fact.error:
        return _OF_ERROR.get(fact.error, Outcome.FAILED)
    return Outcome.FAILED if fact.established_ns is None else Outcome.CLOSED
