# SPDX-License-Identifier: Apache-2.0
"""What put a process into a session is listed, and explains no tool."""

from __future__ import annotations

from dataclasses import replace

from support.recorded import recorded
from support.story import CATALOGUE

from sensor.core.event import Event, Evidence, Kind
from sensor.core.explain import explain

TOLD = recorded()
START = TOLD[0]


def of_kind(kind: Kind) -> Event:
    """Return the first recorded event of a kind."""
    return next(event for event in TOLD if event.kind is kind)


def test_what_put_a_process_into_a_session_says_nothing_of_the_tool() -> None:
    """The tool is explained by the session's start."""
    asked = replace(of_kind(Kind.CONNECT), lineage="client", evidence=(Evidence("client", "at 7"),))
    lines = list(explain(asked, START, CATALOGUE).lines())
    assert 'lineage     client "at 7"' in lines
    assert 'evidence    name claude  weight 0.9 ("ran 1.0")' in lines


def test_a_process_that_may_be_in_several_sessions_is_explained_by_them() -> None:
    """It is in none."""
    either = replace(
        of_kind(Kind.CONNECT), tool=None, session=None, lineage="ambiguous",
        evidence=(Evidence("either", "k3v9q2xa"), Evidence("either", "k3v9q2xb")),
    )  # fmt: skip
    lines = list(explain(either, None, CATALOGUE).lines())
    assert lines[3:5] == ["lineage     either k3v9q2xa", "            either k3v9q2xb"]
