# SPDX-License-Identifier: Apache-2.0
"""Orders as bytes: what goes in comes out, and nothing else comes in."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.core.facts import Process
from sensor.errors import FrameError
from sensor.wire.orders import (
    LISTED_MOST,
    Attach,
    Destroy,
    Detach,
    Kill,
    ListOpen,
    Notify,
    Order,
    Protocol,
    Prove,
    order_of,
    packed,
)

PROCESS = Process(4711, 123_456_789)
ORDERS: list[Order] = [
    Attach("judge_hello"),
    Detach("judge_hello"),
    Destroy(cookie=2**63, protocol=Protocol.UDP, remote=(ip_address("192.0.2.1"), 443)),
    Destroy(
        cookie=1,
        protocol=Protocol.TCP,
        remote=(ip_address("2001:db8::1"), 443),
        local=(ip_address("::1"), 65535),
        process=PROCESS,
    ),
    Kill(PROCESS),
    Notify(process=PROCESS, tty="pts/3", owners=(1000, 0), text="no"),
    Notify(process=PROCESS, tty="pts/3", owners=(), text="\x1b[2J"),
    Prove("/sys/fs/cgroup/canary", "/run/x/sensor-canary"),
    ListOpen((PROCESS, Process(1, 2))),
    ListOpen(tuple(Process(2**31 - 1, 2**64 - 1) for _ in range(LISTED_MOST)), 2**64 - 1),
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)
def test_an_order_comes_as_it_was_given(order: Order) -> None:
    """With its number."""
    assert order_of(packed(7, order)) == (7, order)


def test_what_is_too_long_is_cut_or_refused() -> None:
    """A line is cut; a path is not, as it would be another one."""
    long = Notify(process=PROCESS, tty="pts/3", owners=(), text="x" * 9000)
    _, cut = order_of(packed(1, long))
    assert isinstance(cut, Notify)
    assert cut.text == "x" * 1024
    with pytest.raises(FrameError, match="at most 4096"):
        packed(1, Prove("/x" * 9000, ""))


GOOD: dict[str, object] = {
    "number": 1, "do": "destroy", "cookie": 1, "protocol": "tcp", "remote": ["192.0.2.1", 443],
    "local": None, "process": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"do": "shell"}, "unknown 'shell'"),
        ({"number": -1}, "number: expected 0 to"),
        ({"cookie": True}, "cookie: expected int"),
        ({"protocol": "sctp"}, "protocol: unknown sctp"),
        ({"remote": ["192.0.2.1", 65536]}, "remote: expected an address and a port"),
        ({"remote": ["example.com", 1]}, "remote: expected an IP address"),
        ({"remote": ["192.0.2.1", 1, 2]}, "remote: expected an address and a port"),
        ({"local": "::1"}, "local: expected list"),
        ({"process": [0, 1]}, "process: expected a pid"),
        ({"process": [1]}, "process: expected a pid"),
        ({"process": [2**31, 1]}, "process: expected a pid"),
        ({"process": ["1", 1]}, "process: expected a list of int"),
        ({"do": "attach", "program": "a\0b"}, "program: expected at most"),
        ({"do": "attach", "program": "a" * 1025}, "program: expected at most"),
        ({"do": "attach"}, "order without program"),
        ({"do": "list", "processes": [[1, 1]] * 129, "after": 0}, "processes: expected at most"),
        ({"do": "list", "processes": [[1, 1, 1]], "after": 0}, "processes: expected a pid"),
        ({"do": "list", "processes": [[True, 1]], "after": 0}, "processes: expected a list of int"),
        ({"do": "list", "processes": [1], "after": 0}, "processes: expected a list of list"),
        ({"do": "list", "processes": []}, "order without after"),
        (
            {"do": "notify", "owners": [-1], "process": [1, 1]},
            "owners: expected at most",
        ),
        (
            {"do": "notify", "owners": [1] * 17, "process": [1, 1]},
            "owners: expected at most",
        ),
    ],
)
def test_what_is_no_order_is_refused_by_name(change: dict[str, object], why: str) -> None:
    """Nothing is taken for something else."""
    with pytest.raises(FrameError, match=why):
        order_of(msgpack.packb({**GOOD, **change}))


@given(st.binary(max_size=100))
def test_any_bytes_are_an_order_or_refused(raw: bytes) -> None:
    """Nothing else comes out."""
    with suppress(FrameError):
        order_of(raw)
