# SPDX-License-Identifier: Apache-2.0
"""What the worker of an audit prints becomes facts, however it is cut; all else is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.homes import NOON_NS

from sensor.core.audit.findings import Finding
from sensor.core.audit.trace import Home, Trace
from sensor.core.audit.words import Certainty, Shows, Source
from sensor.core.inventory import as_dict
from sensor.errors import FrameError
from sensor.wire import inventory
from sensor.wire.fields import Fields
from sensor.wire.inventory import Lines, inventory_of


def finding() -> Finding:
    """Make a finding as the worker does."""
    one = Finding(Home("/home/alice", "alice", 1000), "codex", "openai")
    trace = Trace(
        tool="codex", source=Source.NPM, shows=Shows.INSTALLED, certainty=Certainty.CERTAIN,
        path="/home/alice/x", first_ns=NOON_NS, version="1.0", shared=("codex-sdk",),
    )  # fmt: skip
    one.take(trace)
    return one


@settings(deadline=None)  # a busy machine fails no test
@given(st.lists(st.integers(1, 60), max_size=40))
def test_lines_are_facts_however_they_are_cut(sizes: list[int]) -> None:
    """What the audit says of itself and what the stream tells have the same names."""
    plain = finding().as_dict()
    data = 2 * (json.dumps(plain) + "\n").encode()
    lines, told = Lines(lambda: 7), []
    for size in sizes:
        told += lines.take(data[:size])
        data = data[size:]
    told += lines.take(data)
    assert len(told) == 2
    assert (told[0].at_ns, told[0].tool, told[0].vendor) == (7, "codex", "openai")
    names = as_dict(told[0].inventory)
    assert {name: plain[name] for name in names} == names
    assert inventory_of(Fields("inventory", names)) == told[0].inventory


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"nothing\n", "expected JSON"),
        (b"[" * 100_000 + b"\n", "expected JSON"),
        (b"[]\n", "expected an object"),
        (b"{}\n", "finding without tool"),
        (b"\xff\n", "expected JSON"),
    ],
)
def test_what_is_no_finding_is_refused(line: bytes, why: str) -> None:
    """A worker that went wrong is not believed."""
    with pytest.raises(FrameError, match=why):
        Lines(lambda: 1).take(line)


def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not fill the daemon's memory."""
    monkeypatch.setattr(inventory, "LONGEST_LINE_BYTES", 10)
    with pytest.raises(FrameError, match="at most 10 bytes"):
        Lines(lambda: 1).take(b"x" * 11)
