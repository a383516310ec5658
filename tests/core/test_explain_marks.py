# SPDX-License-Identifier: Apache-2.0
"""What is said of a mark by which a tool was known."""

from __future__ import annotations

from dataclasses import replace

from support.story import CATALOGUE, StoryHost, events, exec_, name, tool

from sensor.core.engine import Engine
from sensor.core.explain import explain


def test_a_name_of_a_known_stranger_is_said_to_be_one() -> None:
    """It counts in full, unless the manifest says otherwise."""
    shared = replace(name("codex"), shared=True)
    catalogue = replace(CATALOGUE, tools=(tool("codex", "openai", shared),))
    [start, *_] = events(Engine(catalogue, StoryHost()), exec_(10, "/usr/bin/codex"))
    said = 'weight 0.9, shared: a stranger bears it too ("ran 1.0")'
    assert f"evidence    name codex  {said}" in list(explain(start, start, catalogue).lines())
