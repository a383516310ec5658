# SPDX-License-Identifier: Apache-2.0
"""What the sensor has seen run is a trace of its user."""

from __future__ import annotations

from dataclasses import replace

from support.recorded import recorded

from sensor.core.audit.sessions import traces_of
from sensor.core.audit.words import Certainty, Shows
from sensor.core.sessionbook import Book


def test_sessions_are_summed_up_by_user_and_program() -> None:
    """One of which no process is stored has no user; one without a tool is none."""
    book = Book()
    for event in recorded():
        book.take(event)
    runs = list(book.runs.values())
    lone = next(run for run in runs if run.tool == "codex")
    lone.process = None
    runs[-1].tool = None
    told = {(user, uid, trace.tool): trace for user, uid, trace in traces_of([*runs, runs[0]])}
    assert set(told) == {("alice", 1000, "claude-code"), (None, None, "codex")}
    claude = told["alice", 1000, "claude-code"]
    assert (claude.count, claude.shows, claude.certainty) == (2, Shows.USED, Certainty.CERTAIN)
    assert claude.path == "/opt/bin/claude"
    assert told[None, None, "codex"].path == "-"
    assert claude.first_ns is not None
    assert claude.last_ns is not None
    assert claude.first_ns < claude.last_ns


def test_who_proves_a_policy_uses_nothing() -> None:
    """What `prove` starts is no trace of root."""
    book = Book()
    for event in recorded():
        book.take(event)
    for run in book.runs.values():
        assert run.process
        run.process = replace(run.process, uid=0, cgroup="/agent-sensor-prove-7")
    assert list(traces_of(book.runs.values())) == []
