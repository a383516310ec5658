# SPDX-License-Identifier: Apache-2.0
"""An event says how its process was recognised, and of strangers what is known."""

from __future__ import annotations

from dataclasses import replace

from support.made_up import CATALOGUE

from sensor.core.event import Evidence
from sensor.core.facts import Process, Seen
from sensor.core.identity import Identity
from sensor.core.joining import MARKER
from sensor.core.knownby import contact, joined, known

SEEN = Seen(at_ns=1, process=Process(9, 9), package="npm:x")
NAME = Evidence("name", "claude")
MARK = Evidence("marker", "codex CODEX_CI")
RISK = Evidence("unguarded", "--yolo")
RUNNER = Evidence("runner", "pytest")
ENDPOINT = Evidence("endpoint", "lab")
FOUND = Identity(
    tool=CATALOGUE.tools[0], confidence=0.9, evidence=(NAME,), risk=(RISK,), lineage=(MARK,),
    seen=SEEN,
)  # fmt: skip
STRANGE = replace(FOUND, tool=None, confidence=0.3, risk=(), lineage=())


def test_a_tool_is_told_with_all_that_is_known() -> None:
    """Evidence, whether there was a look, what is dangerous, and who must have started it."""
    assert known(FOUND) == {
        "confidence": 0.9,
        "evidence": (NAME, MARK),
        "looked": True,
        "risk": (RISK,),
        "lineage": MARKER,
    }


def test_what_is_no_tool_is_told_without() -> None:
    """It was known by nothing."""
    assert known(None)["evidence"] == ()
    assert not known(replace(FOUND, seen=replace(SEEN, no_look=True)))["looked"]
    assert known(replace(FOUND, lineage=()))["lineage"] is None


def test_a_stranger_is_told_with_what_it_reaches_and_came_in() -> None:
    """And with the runner of the tests that it is part of; likely tools it may be are left out."""
    said = contact(STRANGE, "lab", RUNNER)
    assert said["evidence"] == (ENDPOINT, Evidence("package", "npm:x"), RUNNER)
    assert said["confidence"] is None
    bare = contact(replace(STRANGE, seen=None, lineage=(MARK,)), "lab", None)
    assert bare["evidence"] == (ENDPOINT, MARK)


def test_a_stranger_that_turns_out_to_be_a_tool_is_told_as_one() -> None:
    """By what spoke for it in the end."""
    assert contact(FOUND, "lab", None) == known(FOUND)


def test_who_reaches_no_service_is_told_without() -> None:
    """It is refused for the address alone."""
    assert contact(FOUND, None, None) == known(None)
    assert contact(None, "lab", RUNNER) == known(None)


def test_what_is_no_tool_is_told_with_what_put_it_into_a_session() -> None:
    """It has no confidence: that says nothing of what it is."""
    asked = Evidence("client", "tmux 18")
    assert joined(replace(FOUND, lineage=(asked,))) == {
        "confidence": None,
        "evidence": (asked,),
        "looked": True,
        "risk": (),
        "lineage": "client",
    }
