# SPDX-License-Identifier: Apache-2.0
"""Tools really installed, used and removed by package managers, in homes made for it.

The audit then sees the home alone: no process, no binary, no help.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import tools
from support.homes import SECRET, found
from support.tools import Package, Registry, installed

if TYPE_CHECKING:
    from sensor.core.audit.findings import Finding

pytestmark = pytest.mark.e2e

PNPM = Package(Registry.NPM, "pnpm", "10.34.9", "pnpm")
PIPX = Package(Registry.PYPI, "pipx", "1.18.4", "pipx")
UV = Package(Registry.PYPI, "uv", "0.13.9", "uv")
PATIENCE_S = 600
QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class Home:
    """A home in which package managers are run, as its user would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        managers = [installed(one).parent for one in (tools.NODE, PNPM, PIPX, UV)]
        local = (path / "npm/bin", path / ".local/bin", path / ".local/share/pnpm")
        self._env = {
            name: value for name, value in os.environ.items() if not name.startswith("XDG")
        }
        self._env |= {
            "HOME": str(path),
            "PATH": ":".join(map(str, (*local, *managers, "/usr/bin", "/bin"))),
            "npm_config_userconfig": str(Path.home() / ".npmrc"),
            "npm_config_prefix": str(path / "npm"),
            "npm_config_update_notifier": "false",
            "PNPM_HOME": str(path / ".local/share/pnpm"),
        }

    def run(self, *argv: str | Path, check: bool = True) -> None:
        """Run a program with this home; it never asks anything."""
        subprocess.run(
            argv, env=self._env, cwd=self.path, stdin=subprocess.DEVNULL, check=check,
            timeout=PATIENCE_S,
        )  # fmt: skip

    def found(self) -> dict[str, Finding]:
        """Audit it."""
        return found(self.path)

    def states(self) -> dict[str, str]:
        """Audit it; return the state of each tool."""
        return {tool: one.state.value for tool, one in self.found().items()}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return an empty home."""
    return Home(tmp_path / "home")


def test_npm_installs_and_removes(home: Home) -> None:
    """What is removed is known by npm's log, and when that is gone by its cache."""
    home.run("npm", "install", "-g", *QUIET, "@google/jules@0.1.42", "codebuff@1.0.685")
    one = home.found()
    assert {tool: row.state.value for tool, row in one.items()} == {
        "jules": "installed", "codebuff": "installed",
    }  # fmt: skip
    assert list(one["jules"].versions) == ["0.1.42"]
    home.run("npm", "uninstall", "-g", "codebuff")
    assert home.states() == {"jules": "installed", "codebuff": "removed"}
    home.run("npm", "uninstall", "-g", "@google/jules")
    for log in (home.path / ".npm/_logs").iterdir():
        log.unlink()
    left = home.found()
    assert {tool: row.state.value for tool, row in left.items()} == {
        "jules": "removed", "codebuff": "removed",
    }  # fmt: skip
    assert {row.certainty.value for row in left.values()} == {"likely"}


def test_npx_runs_without_installing(home: Home) -> None:
    """The copy that it keeps is a trace of use."""
    home.run("npx", "--yes", *QUIET, "@qwen-code/qwen-code@0.24.4", "--version")
    row = home.found()["qwen-code"]
    assert (row.state.value, row.certainty.value) == ("used", "certain")
    assert list(row.versions) == ["0.24.4"]
    assert row.as_dict()["last_used"]


def test_pnpm_installs_and_removes(home: Home) -> None:
    """What is installed is a link into its store; what was removed is still in there."""
    home.run("pnpm", "add", "-g", "--ignore-scripts", "@google/jules@0.1.42", "codebuff@1.0.685")
    assert home.states() == {"jules": "installed", "codebuff": "installed"}
    home.run("pnpm", "remove", "-g", "codebuff")
    assert home.states() == {"jules": "installed", "codebuff": "removed"}


def test_pip_installs_and_what_was_used_stays(home: Home) -> None:
    """Of a package that pip removes nothing is left but what its tool wrote."""
    home.run("python3", "-m", "venv", "env")
    pip = home.path / "env/bin/pip"
    home.run(pip, "install", "--quiet", "--no-cache-dir", "llm==0.36")
    assert home.states() == {"llm": "installed"}
    assert home.found()["llm"].as_dict()["last_used"] is None
    home.run(home.path / "env/bin/llm", "keys", "set", "openai", "--value", SECRET)
    used = home.found()["llm"]
    assert used.as_dict()["last_used"]
    home.run(pip, "uninstall", "--quiet", "--yes", "llm")
    row = home.found()["llm"]
    assert (row.state.value, row.certainty.value) == ("used", "likely")
    assert SECRET not in json.dumps(row.as_dict())


def test_pipx_installs_and_removes(home: Home) -> None:
    """Its log says both."""
    home.run("pipx", "install", "--quiet", "llm==0.36")
    row = home.found()["llm"]
    assert (row.state.value, row.certainty.value) == ("installed", "certain")
    home.run("pipx", "uninstall", "llm")
    row = home.found()["llm"]
    assert (row.state.value, row.certainty.value) == ("removed", "certain")


def test_uv_installs_removes_and_runs(home: Home) -> None:
    """Its cache keeps what was downloaded; uvx leaves an environment there."""
    home.run("uv", "tool", "install", "--quiet", "shell-gpt==1.5.1")
    assert home.states() == {"shell-gpt": "installed"}
    home.run("uv", "tool", "uninstall", "--quiet", "shell-gpt")
    home.run("uvx", "--quiet", "--from", "llm==0.36", "llm", "--version")
    assert home.states() == {"shell-gpt": "removed", "llm": "used"}


def test_a_home_that_never_had_one_has_none(home: Home) -> None:
    """Other packages of the same managers are nothing to it."""
    home.run("npm", "install", "-g", *QUIET, "semver@7.7.2")
    home.run("npm", "uninstall", "-g", "semver")
    home.run("pipx", "install", "--quiet", "pycowsay==0.0.0.2")
    home.run("uvx", "--quiet", "pycowsay==0.0.0.2", "moo")
    (home.path / ".bash_history").write_text("make -j2\nvim codex.md\n")
    assert home.states() == {}


def test_a_program_is_known_by_its_contents_under_any_name(home: Home) -> None:
    """A copy of Codex's, Claude Code's and opencode's program, each in a folder of no account."""
    names = {tools.CLAUDE_CODE: "claude", tools.CODEX: "codex", tools.OPENCODE: "opencode"}
    (home.path / "tmp").mkdir()
    for package, name in names.items():
        largest = max(
            (one for one in installed(package).parent.parent.rglob(f"*{name}*") if one.is_file()),
            key=lambda one: one.stat().st_size,
        )
        copy = home.path / "tmp" / f"build-{len(name)}"
        shutil.copyfile(largest, copy)
        copy.chmod(0o755)
    rows = {tool: (row.state.value, row.certainty.value) for tool, row in home.found().items()}
    assert rows == dict.fromkeys(("claude-code", "codex", "opencode"), ("installed", "certain"))
