# SPDX-License-Identifier: Apache-2.0
"""What is known of a tool is a value."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from sensor.core.tools import Category, Mark, MarkKind, Tool


def test_tools_with_the_same_facts_are_equal_and_stay_so() -> None:
    """A tool can be a key, and nobody changes it for somebody else."""
    mark = Mark(MarkKind.NAME, "some", weak=False, source="ran 1")
    tool, same = (
        Tool(id="some", name="Some", vendor="some", category=Category.CLI, marks=(mark,))
        for _ in range(2)
    )
    assert len({tool, same}) == 1
    with pytest.raises(FrozenInstanceError):
        mark.weak = True  # type: ignore[misc]  # what is refused is the point
