# SPDX-License-Identifier: Apache-2.0
"""Each way a tool comes and goes has a state; a stranger of the same name has none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.homes import (
    CLAUDE,
    found,
    npm_index,
    npm_log,
    npm_package,
    plant,
    python_package,
    states,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

QWEN = npm_package("@qwen-code/qwen-code", "0.24.4")
SITE = ".local/lib/python3.11/site-packages"

HOMES: dict[str, tuple[Mapping[str, str | bytes | None], dict[str, str]]] = {
    "nothing": ({".bashrc": "alias ll='ls -l'\n", "src/main.c": "int main;\n"}, {}),
    "npm -g": ({CLAUDE: npm_package("@anthropic-ai/claude-code")}, {"claude-code": "installed"}),
    "nvm": (
        {".nvm/versions/node/v24.1.0/lib/node_modules/@openai/codex/package.json":
         npm_package("@openai/codex")}, {"codex": "installed"},
    ),
    "volta": (
        {".volta/tools/image/packages/opencode-ai/lib/node_modules/opencode-ai/package.json":
         npm_package("opencode-ai", bin={"opencode": "bin/opencode.exe"})},
        {"opencode": "installed"},
    ),
    "npx": (
        {".npm/_npx/0e0b/node_modules/@qwen-code/qwen-code/package.json": QWEN,
         ".npm/_cacache/index-v5/aa/bb/cc": npm_index("@qwen-code/qwen-code", "0.24.4")},
        {"qwen-code": "used"},
    ),
    "npm uninstall -g, by its log": (
        {".npm/_logs/1-debug-0.log": npm_log("i", "-g", "codebuff@1.0"),
         ".npm/_logs/2-debug-0.log": npm_log("uninstall", "--global", "codebuff")},
        {"codebuff": "removed"},
    ),
    "npm uninstall -g, logs gone": (
        {".npm/_cacache/index-v5/aa/bb/cc": npm_index("@google/gemini-cli", "0.61.0")},
        {"gemini-cli": "removed"},
    ),
    "npm view": ({".npm/_logs/1-debug-0.log": npm_log("view", "@google/gemini-cli")}, {}),
    "pnpm remove -g": (
        {".local/share/pnpm/global/5/.pnpm/codebuff@1.0.685/node_modules/codebuff/package.json":
         npm_package("codebuff", bin={"codebuff": "index.js"})}, {"codebuff": "removed"},
    ),
    "bun": (
        {".bun/install/global/node_modules/@openai/codex/package.json":
         npm_package("@openai/codex"), ".bun/install/cache/@qwen-code/qwen-code@0.2@@@1": None},
        {"codex": "installed", "qwen-code": "removed"},
    ),
    "yarn": (
        {".cache/yarn/v6/npm-@openai-codex-0.169.0-abc-integrity": None}, {"codex": "removed"},
    ),
    "pip --user": (python_package(SITE, "aider-chat", "0.86.2", "aider"), {"aider": "installed"}),
    "pipx": (
        python_package(".local/share/pipx/venvs/llm/lib/python3.11/site-packages", "llm", "0.36",
                       "llm"), {"llm": "installed"},
    ),
    "pipx uninstall": (
        {".local/state/pipx/log/cmd_1.log":
         "    81.1ms (setup:2166): /usr/bin/pipx uninstall llm\n"}, {"llm": "removed"},
    ),
    "uv tool": (
        python_package(".local/share/uv/tools/shell-gpt/lib/python3.11/site-packages", "shell-gpt",
                       "1.5.1", "sgpt"), {"shell-gpt": "installed"},
    ),
    "uv tool uninstall": (
        {".cache/uv/wheels-v8/pypi/shell-gpt/1.5.1-py3-none-any.msgpack": b"\x00"},
        {"shell-gpt": "removed"},
    ),
    "uvx": (
        python_package(".cache/uv/archive-v0/GZ-CA/lib/python3.11/site-packages", "llm", "0.36",
                       "llm"), {"llm": "used"},
    ),
    "pip's cache": (
        {".cache/pip/http-v2/a/b/c/d/abcd.body":
         b"PK\x03\x04" + bytes(900_000) + b"aider_chat-0.86.2.dist-info/METADATA" + bytes(99),
         ".cache/pip/wheels/7f/aa/mini_swe_agent-1.0-py3-none-any.whl": b"PK"},
        {"aider": "removed", "mini-swe-agent": "removed"},
    ),
    "conda": ({"miniconda3/conda-meta/aider-chat-0.86.2-py311_0.json": "{}"},
              {"aider": "installed"}),
    "brew": ({".linuxbrew/Cellar/qwen-code/0.24.4/bin/qwen": ""}, {"qwen-code": "installed"}),
    "native": (
        {".local/share/claude/versions/2.1.330": b"\x7fELF", ".claude.json": "{}",
         ".claude/projects/-src/1.jsonl": "{}"}, {"claude-code": "installed"},
    ),
    "state alone": ({".codex/sessions/2026/1.jsonl": "{}"}, {"codex": "used"}),
    "an installer's empty folders": (
        {".config/opencode": None, ".local/share/opencode": None}, {"opencode": "hinted"},
    ),
    "an editor's extension": (
        {".vscode-server/extensions/anthropic.claude-code-2.1.9-linux-x64/package.json":
         json.dumps({"publisher": "Anthropic", "name": "claude-code"}),
         ".cursor/extensions/.obsolete": '{"continue.continue-1.0.1-linux-x64": true}'},
        {"claude-code": "installed", "continue": "removed", "cursor-sdk": "hinted"},
    ),
    "history, used": (
        {".bash_history": "ls\ncd src && claude -p 'fix'\n"}, {"claude-code": "used"},
    ),
    "history, removed": (
        {".zsh_history": ": 1795608000:0;npm install -g @openai/codex\n"
                         ": 1795608060:0;npm rm -g @openai/codex\n"}, {"codex": "removed"},
    ),
    "history, fish": (
        {".local/share/fish/fish_history":
         "- cmd: uvx --from aider-chat aider\n  when: 1795608000\n"},
        {"aider": "used"},
    ),
    "a repository": ({"src/.git/HEAD": "", "src/CLAUDE.md": "# Read me\n", "src/AGENTS.md": ""},
                     {"claude-code": "hinted"}),
    "a start file": (
        {".bashrc": "export PATH=$PATH:$HOME/.opencode/bin\n"}, {"opencode": "hinted"},
    ),
    "a unit": (
        {".config/systemd/user/a.service": "[Service]\nExecStart=/usr/bin/env openclaw up\n"},
        {"openclaw": "used"},
    ),
    "the trash": (
        {".local/share/Trash/files/node_modules/@openai/codex/package.json":
         npm_package("@openai/codex")}, {"codex": "removed"},
    ),
    "a library's state is its program's": (
        {**python_package(SITE, "claude-agent-sdk", "0.2.187"), ".claude/projects/a.jsonl": "{}"},
        {"claude-agent-sdk": "installed", "claude-code": "hinted"},
    ),
}  # fmt: skip

STRANGERS: dict[str, Mapping[str, str | bytes | None]] = {
    "a script called claude": {"bin/claude": "#!/bin/sh\necho hello\n"},
    "a script called claude that is run": {
        "bin/claude": "#!/bin/sh\necho hello\n",
        ".bash_history": "claude\nclaude hello\n",
    },
    "a program called codex": {".local/bin/codex": b"\x7fELF" + bytes(9 << 20)},
    "a package called droid, of somebody else": {
        "app/node_modules/droid/package.json": npm_package("droid", bin={"robot": "x.js"})
    },
    "a folder of the name, another package in it": {
        "app/node_modules/@openai/codex/package.json": npm_package("@mine/codex")
    },
    "a distribution of the name, with other commands": python_package(
        SITE, "llm", "0.0.1", "other"
    ),
    "a program of a weak name in a history": {".bash_history": "goose up\ncrush\npi\nkilo x.c\n"},
    "a word in a line": {".bash_history": "vim claude\ngrep -r codex .\ngit log --grep=aider\n"},
    "an editor's extension of another publisher": {
        ".vscode/extensions/openai.chatgpt-1.0.0/package.json": '{"publisher": "me", "name": "x"}'
    },
    "a neutral file": {"src/AGENTS.md": "# Agents\n", "src/.mcp.json": '{"mcpServers": {"x": {}}}'},
    "no JSON at all": {CLAUDE: "{" * 5000},
}


@pytest.mark.parametrize("name", HOMES)
def test_a_tool_has_the_state_that_its_traces_show(tmp_path: Path, name: str) -> None:
    """And no other tool has one."""
    files, expected = HOMES[name]
    assert states(plant(tmp_path, files)) == expected


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_of_the_same_name_is_no_tool(tmp_path: Path, name: str) -> None:
    """At most there is a hint, which says that it is weak."""
    for one in found(plant(tmp_path, STRANGERS[name])).values():
        assert (one.state.value, one.certainty.value) == ("hinted", "weak"), one.as_dict()
