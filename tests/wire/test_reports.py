# SPDX-License-Identifier: Apache-2.0
"""Reports as bytes: what goes in comes out, and nothing else comes in."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.core.facts import Process
from sensor.errors import FrameError
from sensor.wire.orders import Protocol
from sensor.wire.reports import (
    LARGEST_BYTES,
    OPEN_MOST,
    OpenSocket,
    Outcome,
    Report,
    report,
    report_of,
)

PROCESS = Process(4711, 123_456_789)
LONGEST = OpenSocket(
    Process(2**31 - 1, 2**64 - 1),
    2**64 - 1,
    Protocol.UDP,
    (ip_address("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), 65535),
)
PLAIN: dict[str, object] = {
    "number": 1, "outcome": "done", "detail": "", "owner": None, "sockets": []
}  # fmt: skip
SOCKET: dict[str, object] = {
    "process": [1, 1], "cookie": 1, "protocol": "udp", "remote": ["192.0.2.1", 443]
}  # fmt: skip


@pytest.mark.parametrize(
    "one",
    [
        Report(0, Outcome.FAILED, "it ended with SIGKILL"),
        Report(1, Outcome.DONE),
        Report(2**64 - 1, Outcome.GONE, "", PROCESS),
        Report(1, Outcome.DONE, "", None, (LONGEST,) * OPEN_MOST),
    ],
)
def test_a_report_comes_as_it_was_given(one: Report) -> None:
    """With whose it was, if that was asked."""
    assert report_of(report(one)) == one


def test_a_reason_that_is_too_long_is_cut() -> None:
    """Beside as many sockets as there can be, it has room."""
    said = Report(1, Outcome.FAILED, "\U0001f600" * 9000, PROCESS, (LONGEST,) * OPEN_MOST)
    assert len(report(said)) < LARGEST_BYTES


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"outcome": "fine"}, "outcome: unknown fine"),
        ({"sockets": [1]}, "sockets: expected a list of dict"),
        ({"sockets": [{**SOCKET, "protocol": "sctp"}]}, "protocol: unknown sctp"),
        ({"sockets": [{**SOCKET, "process": [0, 1]}]}, "process: expected a pid"),
        ({"sockets": [{**SOCKET, "remote": ["example.com", 1]}]}, "expected an IP address"),
    ],
)
def test_what_is_no_report_is_refused(change: dict[str, object], why: str) -> None:
    """A word that is not known is none."""
    with pytest.raises(FrameError, match=why):
        report_of(msgpack.packb({**PLAIN, **change}))


@given(st.binary(max_size=100))
def test_any_bytes_are_a_report_or_refused(raw: bytes) -> None:
    """Nothing else comes out."""
    with suppress(FrameError):
        report_of(raw)
