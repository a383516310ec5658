# SPDX-License-Identifier: Apache-2.0
"""Every tool of the survey that the registries have, with what starts it, and those they lack."""

from __future__ import annotations

from dataclasses import dataclass

from support import tools
from support.tools import Package, Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """A tool of the catalogue, and the package that it was installed by.

    ``also`` are tools that it is too: one's program within another's package. ``behind`` is
    the program that its command starts in the end, below the package's folder; an SDK has
    that alone. ``arguments`` make it end by itself.
    """

    tool: str
    package: Package
    also: tuple[str, ...] = ()
    behind: str | None = None
    is_sdk: bool = False
    arguments: tuple[str, ...] = ("--version",)


def _npm(name: str, version: str, program: str, *, scripts: bool = True) -> Package:
    return Package(Registry.NPM, name, version, program, scripts=scripts)


def _pypi(name: str, version: str, program: str, *, since: int = 10) -> Package:
    return Package(Registry.PYPI, name, version, program, pythons=range(since, _NO_PYTHON_YET))


_NO_PYTHON_YET = 16
_MODULES, _SITE = "lib/node_modules", "lib/python3*/site-packages"
_CODEX = "@openai/codex/node_modules/@openai/codex-linux-x64/vendor/*/bin/codex"
_ACP = "@zed-industries/codex-acp/node_modules/@zed-industries/codex-acp-linux-x64/bin/codex-acp"
_COPILOT = "@github/copilot/node_modules/@github/copilot-linux-x64/copilot"
_SERVER = "@github/copilot-language-server"

SURVEY = (
    Surveyed(tool="claude-code", package=tools.CLAUDE_CODE),
    Surveyed(tool="claude-code", package=tools.CLAUDE_CODE_1),
    Surveyed(
        tool="claude-code-acp",
        package=_npm("@zed-industries/claude-code-acp", "0.16.2", "claude-code-acp"),
    ),
    Surveyed(
        tool="claude-agent-sdk",
        also=("claude-code",),
        package=_pypi("claude-agent-sdk", "0.2.187", "python"),
        behind=f"{_SITE}/claude_agent_sdk/_bundled/claude",
        is_sdk=True,
    ),
    Surveyed(tool="codex", package=tools.CODEX, behind=f"{_MODULES}/{_CODEX}"),
    Surveyed(
        tool="codex-sdk",
        also=("codex",),
        package=_pypi("openai-codex", "0.163.0", "python"),
        behind=f"{_SITE}/codex_cli_bin/bin/codex",
        is_sdk=True,
    ),
    Surveyed(
        tool="codex-acp",
        also=("codex",),
        package=_npm("@zed-industries/codex-acp", "0.16.0", "codex-acp"),
        behind=f"{_MODULES}/{_ACP}",
    ),
    Surveyed(tool="gemini-cli", package=tools.GEMINI_CLI),
    Surveyed(tool="qwen-code", package=tools.QWEN_CODE),
    Surveyed(tool="opencode", package=tools.OPENCODE),
    Surveyed(tool="amp", package=_npm("@ampcode/cli", "0.0.1790142911-g7618fb", "amp")),
    Surveyed(
        tool="copilot-cli",
        package=_npm("@github/copilot", "1.0.102", "copilot"),
        behind=f"{_MODULES}/{_COPILOT}",
    ),
    Surveyed(
        tool="copilot-language-server",
        package=_npm(_SERVER, "1.539.0", "copilot-language-server"),
        behind=f"{_MODULES}/{_SERVER}/node_modules/{_SERVER}-linux-x64/copilot-language-server",
    ),
    Surveyed(
        tool="cline",
        package=_npm("cline", "3.0.65", "cline"),
        behind=f"{_MODULES}/cline/bin/.cline",
    ),
    # Their install scripts fetch the program from elsewhere: here they are wrappers alone.
    Surveyed(tool="crush", package=_npm("@charmland/crush", "0.96.1", "crush", scripts=False)),
    Surveyed(tool="junie", package=_npm("@jetbrains/junie", "3110.7.0", "junie", scripts=False)),
    Surveyed(tool="codebuff", package=_npm("codebuff", "1.0.685", "codebuff")),
    Surveyed(tool="jules", package=_npm("@google/jules", "0.1.42", "jules")),
    Surveyed(tool="auggie", package=_npm("@augmentcode/auggie", "0.36.0", "auggie")),
    Surveyed(
        tool="kilo-code",
        package=_npm("@kilocode/cli", "7.7.7", "kilo"),
        behind=f"{_MODULES}/@kilocode/cli/bin/.kilo",
    ),
    Surveyed(tool="droid", package=_npm("droid", "0.215.0", "droid")),
    Surveyed(tool="continue", package=_npm("@continuedev/cli", "1.5.47", "cn")),
    Surveyed(tool="pi", package=_npm("@mariozechner/pi-coding-agent", "0.73.1", "pi")),
    Surveyed(tool="kimi-code", package=_npm("@moonshot-ai/kimi-code", "2.1.0", "kimi")),
    Surveyed(tool="qoder", package=_npm("@qoder-ai/qodercli", "1.1.52", "qodercli")),
    Surveyed(tool="command-code", package=_npm("command-code", "1.64.0", "command-code")),
    Surveyed(tool="openclaw", package=_npm("openclaw", "2026.9.6", "openclaw")),
    Surveyed(tool="kimi-cli", package=_pypi("kimi-cli", "1.52.0", "kimi-cli", since=12)),
    Surveyed(tool="mistral-vibe", package=_pypi("mistral-vibe", "3.0.2", "vibe", since=12)),
    Surveyed(tool="aider", package=tools.AIDER),
    Surveyed(tool="llm", package=_pypi("llm", "0.36", "llm")),
    Surveyed(tool="shell-gpt", package=_pypi("shell-gpt", "1.5.1", "sgpt")),
    Surveyed(tool="openhands", package=_pypi("openhands", "1.16.0", "openhands", since=12)),
    Surveyed(tool="mini-swe-agent", package=_pypi("mini-swe-agent", "2.4.6", "mini")),
    Surveyed(tool="open-interpreter", package=_pypi("open-interpreter", "0.4.3", "interpreter")),
    Surveyed(tool="gpt-engineer", package=_pypi("gpt-engineer", "0.3.1", "gpte")),
    Surveyed(tool="cursor-sdk", package=_pypi("cursor-sdk", "1.1.0", "cursor-sdk-bridge")),
    Surveyed(
        tool="codebuddy",
        package=_pypi("codebuddy-agent-sdk", "0.3.274", "python"),
        behind=f"{_SITE}/codebuddy_agent_sdk/bin/codebuddy-headless",
        is_sdk=True,
    ),
    Surveyed(
        tool="antigravity-sdk",
        package=_pypi("google-antigravity", "0.1.22", "python"),
        behind=f"{_SITE}/google/antigravity/bin/localharness",
        is_sdk=True,
    ),
)

ELSEWHERE = {
    "claude-code, by its own installer": "curl | sh",
    "cursor-cli": "curl | sh",
    "antigravity-cli": "curl | sh",
    "kiro-cli": "curl | sh, .deb",
    "goose": "curl | sh, Homebrew",
    "grok-cli": "curl | sh",
    "warp-agent": "curl | sh, Homebrew",
    "plandex": "curl | sh, Homebrew",
    "forge-code": "curl | sh; its npm package is not in every mirror",
    "iflow-cli": "its npm package is not in every mirror",
    "trae-agent": "git",
    "zed-editor, windsurf, devin": "installers of their own",
}
"""Tools of the catalogue that no registry has, and where they come from instead."""
