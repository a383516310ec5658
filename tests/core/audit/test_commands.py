# SPDX-License-Identifier: Apache-2.0
"""A command line runs a tool, installs or removes one, or does neither."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.homes import shipped

from sensor.core.audit.atlas import Atlas
from sensor.core.audit.commands import LONGEST, Reader

READER = Reader(Atlas(shipped()))
USED, ONCE, INSTALLED, REMOVED = "used", "run without installing", "was installed", "removed"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("claude", [("claude-code", USED)]),
        ("cd x && F=1 sudo -u bob env B=2 claude -p 'x; y' | tee out", [("claude-code", USED)]),
        ("(codex exec hi); gemini", [("codex", USED), ("gemini-cli", USED)]),
        ("~/.local/bin/claude --resume", [("claude-code", USED)]),
        ("echo 'unbalanced && claude", [("claude-code", USED)]),
        ("claude 'unbalanced", [("claude-code", USED)]),
        ("npm install -g @anthropic-ai/claude-code@latest", [("claude-code", INSTALLED)]),
        ("npm i -g cline @openai/codex", [("cline", INSTALLED), ("codex", INSTALLED)]),
        ("yarn global add opencode-ai", [("opencode", INSTALLED)]),
        ("yarn global remove opencode-ai", [("opencode", REMOVED)]),
        ("pnpm rm -g @google/jules", [("jules", REMOVED)]),
        ("bun x @openai/codex", [("codex", ONCE)]),
        ("npx -y @qwen-code/qwen-code --version", [("qwen-code", ONCE)]),
        ("npm exec --package=@openai/codex -- codex", [("codex", ONCE)]),
        ("npm exec @openai/codex", [("codex", ONCE)]),
        ("npx -p @openai/codex codex", [("codex", ONCE)]),
        ("npm run build", []),
        ("npx -y left-pad claude", []),
        ("sudo -E claude", [("claude-code", USED)]),
        ("python3 -m venv codex", []),
        ("sudo", []),
        ("brew install cowsay codex", [("codex", INSTALLED)]),
        ("npm view @openai/codex", []),
        ("pip3.11 install 'aider-chat[all]>=0.80' numpy", [("aider", INSTALLED)]),
        ("python3 -m pip uninstall -y aider_chat", [("aider", REMOVED)]),
        ("python3 -m aider --yes", [("aider", USED)]),
        ("python3 -m http.server", []),
        ("python3 aider.py", []),
        ("python3 -m pipx install llm", [("llm", INSTALLED)]),
        ("pipx run shell-gpt hi", [("shell-gpt", ONCE)]),
        ("uv tool install llm", [("llm", INSTALLED)]),
        ("uv tool uninstall llm", [("llm", REMOVED)]),
        ("uv pip install llm", [("llm", INSTALLED)]),
        ("uvx --from aider-chat aider", [("aider", ONCE)]),
        ("uv tool run llm", [("llm", ONCE)]),
        ("brew install --cask codex", [("codex", INSTALLED)]),
        ("sudo apt-get purge claude", [("claude-code", REMOVED)]),
        ("apt-get update claude-x", []),
        ("brew search codex", []),
        ("vim claude", []),
        ("which codex; man gemini", []),
        ("git commit -m 'claude'", []),
        ("myclaude", []),
        ("FOO=claude", []),
        ("npm install ./codex!", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_line_does_with_tools_what_it_says(line: str, told: list[tuple[str, str]]) -> None:
    """Only the program and what package managers are told count."""
    assert [(one.tool.id, one.shows.value) for one in READER.mentions(line)] == told


@pytest.mark.parametrize(
    ("line", "weak"),
    [("crush", True), ("claude", False), ("brew install gemini", True),
     ("brew install codex", False)],
)  # fmt: skip
def test_a_name_that_others_bear_is_weak(line: str, weak: bool) -> None:  # noqa: FBT001 - a case
    """And what a distribution calls the same may be another program."""
    (one,) = READER.mentions(line)
    assert one.weak is weak


def test_a_long_line_is_cut() -> None:
    """A pasted file costs what a line costs."""
    assert not list(READER.mentions(f"{'x' * LONGEST}; claude"))


@settings(deadline=None)  # a busy machine fails no test
@given(st.text(max_size=200))
def test_no_line_breaks_it(line: str) -> None:
    """Histories hold anything."""
    list(READER.mentions(f"{line} claude"))
