# SPDX-License-Identifier: Apache-2.0
"""Keys: each is a field of a tool, and says what it is like."""

from __future__ import annotations

from dataclasses import fields

import pytest

from sensor.core.keys import MARKS, TEXTS
from sensor.core.tools import Tool


def test_each_text_is_a_field_of_a_tool_and_no_mark() -> None:
    """Reader, layers and listing go by this alone."""
    assert set(TEXTS) <= {one.name for one in fields(Tool)}
    assert not set(TEXTS) & set(MARKS)


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("packages", ("npm:@openai/codex", "pypi:aider-chat", "brew:x"), ("codex", "npm:A", "x:y")),
        ("state", ("~/.codex", "<repo>/.x", "/var/x"), (".codex", "~x/y")),
        ("weak_state", ("~/.config",), ("config",)),
        ("environment", ("CLAUDECODE",), ("claude", "1X")),
        ("settings", ("GOOSE_MODE",), ("goose",)),
        ("unsafe", ("--yolo", "--mode yolo", "NO_GUARD"), ("yolo", "--")),
        ("overrides", ("--base-url", "X_URL"), ("url",)),
        ("layout", ("~/.local/x/*",), ("/opt/x", "~/*/x")),
        ("extensions", ("openai.chatgpt",), ("chatgpt", "A.b")),
        ("contents", ("twelve letters",), ("short", "x" * 65)),
    ],
)
def test_what_a_text_may_be(key: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    """One shape for each key."""
    shape = TEXTS[key]
    assert [one for one in good if not shape.pattern.fullmatch(one)] == []
    assert [one for one in bad if shape.pattern.fullmatch(one)] == []
