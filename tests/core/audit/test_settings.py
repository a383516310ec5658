# SPDX-License-Identifier: Apache-2.0
"""Settings are counted; of what they hold nothing comes out but names of the catalogue."""

from __future__ import annotations

import pytest
from support.homes import SECRET, shipped

from sensor.core.audit.atlas import Atlas
from sensor.core.audit.commands import Reader
from sensor.core.audit.settings import settings

READER = Reader(Atlas(shipped()))


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ('{"hooks": {"Stop": [], "Start": []}, "mcpServers": {"a": {}}}', "2 hooks, 1 MCP server"),
        ('{"projects": {"/x": {"mcpServers": {"a": 1, "b": {}}}}}', "2 MCP servers"),
        ('{"deep": [{"hooks": [1]}]}', "1 hook"),
        ('{"hooks": true, "mcpServers": []}', None),
        ("{", None), ("[]", None), ("", None),
    ],
)  # fmt: skip
def test_hooks_and_servers_are_counted(text: str, note: str | None) -> None:
    """At any depth."""
    assert settings(text, READER, is_toml=False).note == note


def test_toml_is_read_too() -> None:
    """Codex has it."""
    text = f'[mcp_servers.x]\ncommand = "npx"\nargs = ["-y", "@google/gemini-cli", "{SECRET}"]\n'
    found = settings(text, READER, is_toml=True)
    assert found.note == "1 MCP server"
    assert [one.tool.id for one in found.mentions] == ["gemini-cli"]
    assert settings("= =", READER, is_toml=True).note is None


@pytest.mark.parametrize(
    ("server", "tools"),
    [
        ('{"command": ["claude", "mcp", "serve"]}', ["claude-code"]),
        ('{"command": "codex", "args": "x"}', ["codex"]),
        ('{"command": 1, "args": [2]}', []),
        ('"claude"', []),
    ],
)
def test_a_server_that_is_a_tool_is_named(server: str, tools: list[str]) -> None:
    """Whatever else stands there."""
    found = settings(f'{{"mcpServers": {{"a": {server}, "b": {server}}}}}', READER, is_toml=False)
    assert [one.tool.id for one in found.mentions] == tools


def test_a_made_up_file_costs_little() -> None:
    """A million values are not gone through."""
    text = "{" + ",".join(f'"k{n}": {{"x": [{n}]}}' for n in range(20_000)) + ', "hooks": [1]}'
    assert settings(text, READER, is_toml=False).note == "1 hook"
