# SPDX-License-Identifier: Apache-2.0
"""Residue is found by its place in a home; what it shows depends on what there is."""

from __future__ import annotations

import pytest
from support.homes import shipped

from sensor.core.audit.atlas import Atlas
from sensor.core.audit.leads import How, Measure, Seen
from sensor.core.audit.residue import Finder
from sensor.core.audit.trace import STRANGER

FINDER = Finder(Atlas(shipped()))


@pytest.mark.parametrize(
    ("folder", "name", "how"),
    [
        ("", ".claude", How.TREE),
        ("", ".claude.json", How.TEXT),
        ("", ".cursor", How.ENTRY),
        ("src/x", ".claude", How.ENTRY),
        ("src", "CLAUDE.md", How.ENTRY),
        ("x/node_modules/y", "CLAUDE.md", None),
        (".local/share/claude/versions", "2.1.330", How.ENTRY),
        (".local/bin", "claude", How.LINK),
        ("bin", "codex", How.LINK),
        ("src", "codex", None),
        ("", ".bash_history", How.LINES),
        ("src", ".bash_history", None),
        ("", ".zshrc", How.LINES),
        (".config/systemd/user", "x.service", How.LINES),
        (".config/systemd/user", "x.conf", None),
        (".codex", "config.toml", How.TEXT),
        (".claude/deep/er", "settings.json", How.TEXT),
        ("src", "settings.json", None),
        ("src", ".mcp.json", How.TEXT),
    ],
)
def test_a_place_in_a_home_is_a_lead(folder: str, name: str, how: How | None) -> None:
    """And the same name elsewhere is another one, or none."""
    lead = FINDER.lead(folder, name)
    assert (lead.how if lead else None) is how


def told(folder: str, name: str, seen: Seen) -> list[tuple[str, str, str]]:
    """Say what a lead tells of what was seen."""
    lead = FINDER.lead(folder, name)
    assert lead
    return [(one.tool, one.shows.value, one.note or "") for one in lead.tell(seen)]


def test_state_counts_when_something_is_in_it() -> None:
    """An empty folder may be its installer's; a link is not followed."""
    full = Measure(files=2, sessions=1, first_ns=1, last_ns=2)
    path = "/home/a/.codex"
    for measure, target, shows, note in (
        (full, None, "used", "2 files, 1 session log"),
        (Measure(files=1), None, "used", "1 file"),
        (Measure(), None, "hint", "empty"),
        (Measure(), "", "hint", "a link, not followed"),
    ):
        seen = Seen(path=path, mtime_ns=1, measure=measure, target=target)
        assert told("", ".codex", seen) == [("codex", shows, note)]


def test_a_state_file_is_read_for_its_settings() -> None:
    """It shows use by being there."""
    seen = Seen(path="/h/.claude.json", mtime_ns=1, texts=('{"mcpServers": {"a": {}}}',))
    assert told("", ".claude.json", seen) == [
        ("claude-code", "used", ""), ("claude-code", "used", "1 MCP server"),
    ]  # fmt: skip
    assert told("", ".claude.json", Seen(path="/h/.claude.json", mtime_ns=1)) == [
        ("claude-code", "used", "")
    ]


def test_settings_of_nobody_name_only_others() -> None:
    """A neutral file is no tool's; the tool that a server is gets a hint."""
    text = '{"mcpServers": {"a": {"command": "claude"}}}'
    seen = Seen(path="/h/src/.mcp.json", mtime_ns=1, texts=(text,))
    assert told("src", ".mcp.json", seen) == [("claude-code", "hint", "")]
    assert told(".codex", "config.toml", Seen(path="/h/.codex/config.toml", mtime_ns=1)) == []


def test_a_link_is_what_it_points_at() -> None:
    """Into a tool's folder that is gone; its own place needs no link where others write nothing."""
    codex = "../lib/node_modules/@openai/codex/bin/codex.js"
    seen = Seen(path="/h/bin/codex", mtime_ns=1, target=codex, target_exists=False)
    assert told("bin", "codex", seen) == [("codex", "was installed", "")]
    seen = Seen(path="/h/bin/codex", mtime_ns=1, target=codex, target_exists=True)
    assert told("bin", "codex", seen) == [("codex", "hint", "")]
    seen = Seen(path="/h/bin/codex", mtime_ns=1, target="/usr/bin/true", target_exists=True)
    assert told("bin", "codex", seen) == []
    own = Seen(path="/h/.opencode/bin/opencode", mtime_ns=1)
    assert told(".opencode/bin", "opencode", own) == [("opencode", "installed", "")]
    script = Seen(path="/h/.local/bin/claude", mtime_ns=1)
    assert told(".local/bin", "claude", script) == [("claude-code", "hint", STRANGER)]
    assert told("bin", "crush", Seen(path="/h/bin/crush", mtime_ns=1)) == []
    assert told("bin", "codex", Seen(path="/h/bin/codex", mtime_ns=1, is_folder=True)) == []


def test_a_version_is_one_of_its_installer() -> None:
    """What else lies there is not."""
    seen = Seen(path="/h/x", mtime_ns=1)
    assert told(".local/share/claude/versions", "2.1.330", seen)
    assert not told(".local/share/claude/versions", "tmp.download", seen)


@pytest.mark.parametrize(
    ("line", "tools"),
    [
        ("alias c='claude --resume'", ["claude-code"]),
        ("export CLAUDECODE=1", ["claude-code"]),
        ('export PATH="$HOME/.opencode/bin:$PATH"', ["opencode"]),
        ("[ -f ~/.qoder/entry/x ] && . ~/.qoder/entry/x", ["qoder"]),
        ("alias k=kilo; export CRUSH=1", []),
        ("export PATH=$HOME/.local/bin:$PATH", []),
    ],
)
def test_a_start_file_names_a_tool(line: str, tools: list[str]) -> None:
    """By a command, a variable or a folder of its own."""
    seen = Seen(path="/h/.bashrc", mtime_ns=1, lines=[line, line])
    assert told("", ".bashrc", seen) == [(tool, "hint", "") for tool in tools]


def test_a_history_tells_what_was_done() -> None:
    """Of each tool once."""
    lines = ["#1795608000", "claude", "claude -c", "npm rm -g @openai/codex"]
    seen = Seen(path="/h/.bash_history", mtime_ns=1, lines=lines)
    assert told("", ".bash_history", seen) == [
        ("claude-code", "used", ""),
        ("codex", "removed", ""),
    ]


def test_what_others_leave_too_is_a_hint() -> None:
    """A shared folder, and what somebody committed."""
    assert told("", ".cursor", Seen(path="/h/.cursor", mtime_ns=1)) == [("cursor-sdk", "hint", "")]
    assert told("src", "QWEN.md", Seen(path="/h/x", mtime_ns=1)) == [("qwen-code", "hint", "")]


def test_a_unit_runs_what_its_exec_lines_say() -> None:
    """With the marks that systemd allows before the program."""
    lines = ["[Service]", "Environment=X=claude", "ExecStart=-/usr/bin/claude -p x"]
    seen = Seen(path="/h/u", mtime_ns=1, lines=lines)
    assert told(".config/systemd/user", "a.service", seen) == [("claude-code", "used", "")]
