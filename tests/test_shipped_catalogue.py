# SPDX-License-Identifier: Apache-2.0
"""The catalogue that is shipped knows the tools and launches that were seen."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from sensor.core.catalogue import Catalogue, MarkKind, merge, parse

SHIPPED = Path(__file__).parents[1] / "sensor" / "catalogue"

COMMON = [
    "agent",
    "amp",
    "cb",
    "cbc",
    "cmd",
    "cn",
    "copilot",
    "crush",
    "droid",
    "forge",
    "ge",
    "goose",
    "grok",
    "i",
    "interpreter",
    "kilo",
    "kimi",
    "llm",
    "mini",
    "oz",
    "pi",
    "q",
    "vibe",
    "warp",
    "wtf",
    "zed",
]
"""Names that other software bears."""


SURVEY = [
    "aider", "amp", "antigravity-cli", "antigravity-sdk", "auggie", "claude-agent-sdk",
    "claude-code", "claude-code-acp", "cline", "codebuddy", "codebuff", "codex", "codex-acp",
    "codex-sdk", "command-code", "continue", "copilot-cli", "copilot-language-server",
    "copilot-sdk", "crush", "cursor-cli", "cursor-sdk", "devin", "droid", "forge-code",
    "gemini-cli", "goose", "gpt-engineer", "grok-cli", "iflow-cli", "jules", "junie",
    "kilo-code", "kimi-cli", "kimi-code", "kiro-cli", "llm", "mini-swe-agent", "mistral-vibe",
    "open-interpreter", "openclaw", "opencode", "openhands", "pi", "plandex", "qoder",
    "qwen-code", "shell-gpt", "trae-agent", "warp-agent", "windsurf", "zed-editor",
]  # fmt: skip
"""Ids of the tools that were run, installed, or read about."""


def shipped() -> Catalogue:
    """Read and join the catalogue of this repository."""
    return merge(parse(path.read_text(), where=path.name) for path in sorted(SHIPPED.iterdir()))


def test_every_tool_of_the_survey_is_shipped() -> None:
    """docs/catalogue.md says which survey entry became which id."""
    assert sorted(tool.id for tool in shipped().tools) == SURVEY


@pytest.mark.parametrize(
    ("tool_id", "kind", "value"),
    [
        ("claude-code", MarkKind.NAME, "claude"),
        ("claude-code", MarkKind.NAME, "claude.exe"),
        ("claude-code", MarkKind.PATH, "claude/versions"),
        ("claude-code", MarkKind.PATH, "@anthropic-ai/claude-code"),
        ("claude-agent-sdk", MarkKind.PATH, "claude_agent_sdk/_bundled"),
        ("codex", MarkKind.NAME, "codex"),
        ("codex", MarkKind.PATH, "@openai/codex"),
        ("codex", MarkKind.PATH, ".codex/packages"),
        ("codex-sdk", MarkKind.PATH, "codex_cli_bin/bin"),
        ("gemini-cli", MarkKind.NAME, "gemini"),
        ("qwen-code", MarkKind.PATH, "@qwen-code/qwen-code"),
        ("opencode", MarkKind.PATH, "node_modules/opencode-ai"),
        ("cline", MarkKind.NAME, ".cline"),
        ("kilo-code", MarkKind.NAME, ".kilo"),
        ("codebuff", MarkKind.PATH, "manicode/codebuff"),
        ("jules", MarkKind.PATH, "jules_tmp/jules"),
        ("junie", MarkKind.PATH, "junie/versions"),
        ("cursor-sdk", MarkKind.PATH, "cursor_sdk/_vendor"),
        ("mistral-vibe", MarkKind.NAME, "vibe-rs"),
        ("aider", MarkKind.NAME, "aider"),
        ("aider", MarkKind.MODULE, "aider"),
    ],
)
def test_a_launch_that_was_seen_has_a_strong_mark(tool_id: str, kind: MarkKind, value: str) -> None:
    """Binary, link, package path, versioned file, dot file and module are all covered."""
    tool = shipped().tool(tool_id)
    assert tool
    assert [(mark.weak) for mark in tool.marks if (mark.kind, mark.value) == (kind, value)] == [
        False
    ]


def test_names_that_other_software_bears_are_weak() -> None:
    """None of them is evidence enough on its own."""
    names = {
        mark.value: mark.weak
        for tool in shipped().tools
        for mark in tool.marks
        if mark.kind is MarkKind.NAME
    }
    assert [name for name in COMMON if not names[name]] == []


def test_no_pair_is_one_that_ordinary_software_has() -> None:
    """A folder that all packages have never stands second, but below a package's own."""
    ordinary = {"bin", "lib", "share", "node_modules", "site-packages", "src", "dist", "tmp"}
    pairs = [
        mark.value.split("/")
        for tool in shipped().tools
        for mark in tool.marks
        if mark.kind is MarkKind.PATH
    ]
    specific = {"codex_cli_bin", "codebuddy_agent_sdk", ".grok"}
    assert [pair for pair in pairs if pair[1] in ordinary and pair[0] not in specific] == []


def test_the_published_addresses_of_anthropic_are_shipped() -> None:
    """An address alone gives the endpoint where the vendor publishes its ranges."""
    catalogue = shipped()
    for address in ("160.79.104.10", "2607:6bc0::10"):
        endpoint = catalogue.endpoint_at(ip_address(address))
        assert endpoint
        assert endpoint is catalogue.endpoint_of("api.anthropic.com")


def test_what_is_known_from_documentation_alone_is_marked_so() -> None:
    """It counts for less, and the kernel refuses nothing by it alone."""
    hearsay = {tool.id for tool in shipped().tools if tool.is_hearsay}
    assert hearsay == {
        "antigravity-cli",
        "cursor-cli",
        "devin",
        "forge-code",
        "goose",
        "grok-cli",
        "iflow-cli",
        "kiro-cli",
        "plandex",
        "trae-agent",
        "warp-agent",
        "windsurf",
        "zed-editor",
    }


@pytest.mark.parametrize(
    ("tool_id", "switch"),
    [
        ("claude-code", "--dangerously-skip-permissions"),
        ("codex", "--dangerously-bypass-approvals-and-sandbox"),
        ("codex", "--full-auto"),
        ("qwen-code", "--yolo"),
        ("gemini-cli", "--approval-mode yolo"),
        ("copilot-cli", "COPILOT_ALLOW_ALL"),
    ],
)
def test_what_switches_guards_off_is_shipped(tool_id: str, switch: str) -> None:
    """Each with its source, as everything else."""
    tool = shipped().tool(tool_id)
    assert tool
    assert switch in tool.unsafe
    assert all(one.source for one in tool.sourced if one.value == switch)


def test_services_that_tools_can_be_told_to_use_are_shipped() -> None:
    """Some 200, none of which is an address on the host itself."""
    endpoints = shipped().endpoints
    assert len(endpoints) > 190
    for host in ("openrouter.ai", "api.deepseek.com", "api.groq.com", "api.x.ai"):
        assert shipped().endpoint_of(host), host
    assert not any(host.startswith("127.") for one in endpoints for host in one.hosts)
