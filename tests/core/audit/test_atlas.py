# SPDX-License-Identifier: Apache-2.0
"""The catalogue is found again by package, path and name."""

from __future__ import annotations

from support.homes import shipped

from sensor.core.audit.atlas import Atlas, normal

ATLAS = Atlas(shipped())


def test_packages_are_found_as_their_registry_spells_them() -> None:
    """PyPI takes dots, underscores and capitals for the same."""
    claude, aider = ATLAS.npm("@anthropic-ai/claude-code"), ATLAS.pypi("Aider_Chat")
    assert (claude and claude.id, aider and aider.id) == ("claude-code", "aider")
    assert ATLAS.npm("@Anthropic-AI/claude-code") is ATLAS.pypi(None) is None
    assert normal("A..b__C") == "a-b-c"


def test_a_name_that_other_software_bears_is_not_strong() -> None:
    """And one that two tools bear says nothing."""
    codex = ATLAS.strong("codex")
    assert codex
    assert codex.id == "codex"
    assert ATLAS.strong("crush") is None
    assert ATLAS.names["crush"][1]
    assert "kimi" not in ATLAS.names


def test_state_that_several_leave_names_them_all() -> None:
    """Who left it is for the finding to say."""
    assert {tool.id for tool in ATLAS.state[".claude"]} == {
        "claude-code", "claude-agent-sdk", "claude-code-acp",
    }  # fmt: skip
    assert [tool.id for tool in ATLAS.weak_state[".cursor"]] == ["cursor-sdk", "cursor-cli"]


def test_paths_outside_homes_are_patterns() -> None:
    """A uid and a star stand for themselves."""
    found = {
        path: [tool.id for pattern, tool in ATLAS.system if pattern.fullmatch(path)]
        for path in ("tmp/codex-daemon-1000", "tmp/codex-daemon-x", "etc/claude-code", "tmp/etc")
    }
    assert found == {
        "tmp/codex-daemon-1000": ["codex"],
        "tmp/codex-daemon-x": [],
        "etc/claude-code": ["claude-code"],
        "tmp/etc": [],
    }


def test_one_tool_can_be_asked_for_alone() -> None:
    """Nothing of the others is looked for."""
    atlas = Atlas(shipped(), only=frozenset({"codex"}))
    assert [tool.id for tool in atlas.tools] == ["codex"]
    assert atlas.npm("@anthropic-ai/claude-code") is None
